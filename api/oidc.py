"""
An identity provider (OpenID Connect Core 1.0), where a district has one: the authorisation code flow with PKCE (RFC 7636), state and nonce.

Off unless SHOUWANG_OIDC_ISSUER, SHOUWANG_OIDC_CLIENT_ID and SHOUWANG_OIDC_CLIENT_SECRET_FILE are set. Of what the provider says, only the subject of
a verified ID token is used; no name, number or e-mail is asked for (scope openid). The signature must be asymmetric, by a key that the provider
publishes; issuer, audience, times and nonce are checked.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from flask import current_app
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from ledger.errors import NotAllowed, SettingsError, Unavailable
from ledger.people.key_files import read_secret

ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519"]
TIMEOUT_SECONDS = 10
LEEWAY_SECONDS = 60
DEFAULT_TITLE = "统一身份认证"
_REFUSED = "统一身份认证没有成功，请重新登录；一直不行，请改用登录名和密码"


class Provider:
    """One identity provider and this deployment's place with it. *title*: what its button says."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, title: str = DEFAULT_TITLE) -> None:
        self.issuer = issuer
        self.title = title
        self._client_id = client_id
        self._client_secret = client_secret
        self._metadata: dict[str, Any] | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Provider | None":
        """Read the settings; None when there are none. Raises SettingsError when there are some, or the address is not https."""
        issuer, client, file = (env.get(f"SHOUWANG_OIDC_{name}", "") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET_FILE"))
        if not (issuer or client or file):
            return None
        if not (issuer and client and file):
            raise SettingsError("统一身份认证要同时设置 SHOUWANG_OIDC_ISSUER、SHOUWANG_OIDC_CLIENT_ID 和 SHOUWANG_OIDC_CLIENT_SECRET_FILE")
        if not _trustworthy(issuer):
            raise SettingsError("SHOUWANG_OIDC_ISSUER 应是 https:// 开头的网址")
        return cls(issuer, client, read_secret(Path(file)).decode().strip(), env.get("SHOUWANG_OIDC_TITLE") or DEFAULT_TITLE)

    def begin(self, callback: str) -> tuple[str, dict[str, str]]:
        """Give the address to send somebody to, and what has to be kept until they come back. Raises Unavailable."""
        kept = {"nonce": secrets.token_urlsafe(24), "verifier": secrets.token_urlsafe(48)}
        with self._client(callback) as client:
            where, kept["state"] = client.create_authorization_url(
                self._endpoint("authorization_endpoint"), nonce=kept["nonce"], code_verifier=kept["verifier"]
            )
        return where, kept

    def finish(self, callback: str, kept: Mapping[str, str], answered: Mapping[str, str]) -> str:
        """Take what somebody came back with, and give the subject that the provider vouches for. Raises NotAllowed, Unavailable."""
        code, state = answered.get("code", ""), answered.get("state", "")
        if not code or not secrets.compare_digest(state.encode(), kept["state"].encode()):
            raise NotAllowed(_REFUSED)
        if answered.get("iss", self.issuer) != self.issuer:  # RFC 9207: an answer of another provider
            raise NotAllowed(_REFUSED)
        try:
            with self._client(callback) as client:
                token = client.fetch_token(
                    self._endpoint("token_endpoint"), code=code, code_verifier=kept["verifier"], timeout=TIMEOUT_SECONDS
                )
                keys = client.request("GET", self._endpoint("jwks_uri"), withhold_token=True, timeout=TIMEOUT_SECONDS)
                keys.raise_for_status()
            return self._subject(token["id_token"], keys.json(), kept["nonce"])
        except RequestException:
            raise Unavailable("现在连不上统一身份认证，请稍后再试，或改用登录名和密码") from None
        except (AuthlibBaseError, JoseError, KeyError, ValueError, TypeError):
            raise NotAllowed(_REFUSED) from None

    def _subject(self, id_token: str, keys: Any, nonce: str) -> str:
        """Verify an ID token as OpenID Connect Core 1.0 section 3.1.3.7 says, and give its subject."""
        claims = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        essential: dict[str, Any] = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "nonce": {"essential": True, "value": nonce},
            "sub": {"essential": True},
        }
        jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **essential).validate(claims)
        if claims.get("azp", self._client_id) != self._client_id or not isinstance(claims["sub"], str):
            raise ValueError(claims)
        return claims["sub"]

    def _client(self, callback: str) -> Any:
        return OAuth2Session(
            self._client_id, self._client_secret, scope="openid", redirect_uri=callback, code_challenge_method="S256", response_type="code"
        )

    def _endpoint(self, name: str) -> str:
        """Look up an address in the provider's own description (OpenID Connect Discovery 1.0), which is fetched once."""
        if self._metadata is None:
            try:
                with OAuth2Session(self._client_id) as client:
                    address = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
                    answer = client.request("GET", address, withhold_token=True, timeout=TIMEOUT_SECONDS)
                answer.raise_for_status()
                found = answer.json()
            except (RequestException, ValueError):
                raise Unavailable("现在连不上统一身份认证，请稍后再试，或改用登录名和密码") from None
            if found.get("issuer") != self.issuer:
                raise Unavailable("统一身份认证的说明与设置的网址不符，请管理员核对 SHOUWANG_OIDC_ISSUER")
            self._metadata = found
        where = str(self._metadata.get(name, ""))
        if not _trustworthy(where):
            raise Unavailable("统一身份认证的说明里缺少需要的地址，请管理员联系身份平台")
        return where


def _trustworthy(address: str) -> bool:
    """Tell whether an address is https, or of this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))


def provider() -> Provider | None:
    """Give the identity provider of this app, if it has one."""
    return cast("Provider | None", current_app.extensions["oidc"])
