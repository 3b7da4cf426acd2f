"""``python -m cnnzoo`` is the command ``cnnzoo``."""

from cnnzoo.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
