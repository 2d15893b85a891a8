"""The machine on which tools work: as whom, where, and how all that one starts is ended."""
