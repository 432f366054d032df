"""A browser as far as a benchmark needs one: it keeps its cookies and sends forms with their token, over one connection."""

import http.client
import re
from urllib.parse import urlencode

from scripts.http_benchmark import PORT

FORM = "application/x-www-form-urlencoded"


class Browser:
    """Somebody at the server of a benchmark."""

    def __init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self._cookies: dict[str, str] = {}
        self.token = ""

    @property
    def cookie(self) -> str:
        """What it sends as Cookie."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def get(self, path: str) -> str:
        """Ask for a page, and note the token of its forms."""
        status, page, _ = self._ask("GET", path, None)
        assert status == 200, (path, status)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        self.token = found[1] if found else self.token
        return page

    def post(self, path: str, **said: str) -> str:
        """Send a form; gives the address that the answer leads to."""
        status, page, location = self._ask("POST", path, urlencode({"csrf_token": self.token, **said}))
        assert status == 302, (path, status, page[-2000:])
        return location

    def sign_in(self, name: str, password: str) -> None:
        """Sign in."""
        self.get("/sign-in")
        self.post("/sign-in", name=name, password=password)

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str, str]:
        self._connection.request(method, path, body, {"Content-Type": FORM, "Cookie": self.cookie})
        answer = self._connection.getresponse()
        for said in answer.headers.get_all("Set-Cookie", []):
            name, _, value = said.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")
