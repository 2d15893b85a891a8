"""What tests start ends with them, however they end: by SIGKILL too."""

import shutil

# To be put before an argv, whose pid stays its own. TERM comes when the thread that started it is
# gone, so that should be the main one. https://man7.org/linux/man-pages/man1/setpriv.1.html
MORTAL = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
