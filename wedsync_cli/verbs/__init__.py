"""One file per command: NAME, HELP, options(parser), run(context, arguments) -> exit code."""
