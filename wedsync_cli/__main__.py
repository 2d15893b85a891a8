import sys

from wedsync_cli.main import main

sys.exit(main())
