"""`python -m billing.sandbox --port 8001 --state var/sandbox.sqlite3 --webhook-url …`"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from billing.sandbox.sandbox import Sandbox
from core.config import SANDBOX_API_KEY, SANDBOX_WEBHOOK_SECRET


class QuietHandler(WSGIRequestHandler):
    """Says nothing of ordinary requests: their addresses name sessions."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; prints its address once it listens. 0 when stopped."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s sandbox: %(message)s")
    asked = _asked(arguments)
    sandbox = Sandbox(
        asked.state,
        asked.webhook_url,
        asked.webhook_secret,
        api_key=asked.api_key,
        public_url=asked.public_url,
    )
    _serve(sandbox, asked.host, asked.port)
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m billing.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file it keeps")
    parser.add_argument("--webhook-url", required=True)
    parser.add_argument(
        "--webhook-secret",
        default=os.environ.get("STRIPE_WEBHOOK_SECRET", SANDBOX_WEBHOOK_SECRET),
    )
    parser.add_argument("--api-key", default=os.environ.get("STRIPE_API_KEY", SANDBOX_API_KEY))
    parser.add_argument("--public-url", default="", help="where payers reach the card page")
    return parser.parse_args(arguments)


def _serve(sandbox: Sandbox, host: str, port: int) -> None:
    server = make_server(host, port, sandbox, threaded=True, request_handler=QuietHandler)
    sandbox.start_courier()
    signal.signal(signal.SIGTERM, _stop)
    print(f"sandbox listening on http://{host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        sandbox.close()


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
