"""A little identity provider (OpenID Connect Core 1.0, code flow with PKCE) for one client: it signs whatever it is told to about *subject*."""

import base64
import hashlib
import secrets
import time
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "shouwang", "a secret of both"


class IdentityProvider:
    """*subject*: who is signed in there; *claims*: what the next ID tokens say otherwise; *key*: what signs them."""

    def __init__(self):
        self.subject, self.claims, self.drop = "citizen-0001", {}, ()
        self.published = RSAKey.generate_key(2048, {"kid": "one"}, auto_kid=False)
        self.key, self.algorithm = self.published, "RS256"
        self.codes, self.seen, self.issuer = {}, [], ""
        self.app = Flask("identity-provider")
        self.app.add_url_rule("/.well-known/openid-configuration", view_func=self.describe)
        self.app.add_url_rule("/authorize", view_func=self.authorize)
        self.app.add_url_rule("/token", view_func=self.token, methods=["POST"])
        self.app.add_url_rule("/keys", view_func=self.keys)

    def describe(self):
        places = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in (("authorization", "authorize"), ("token", "token"))}
        return jsonify({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **places})

    def keys(self):
        return jsonify({"keys": [self.published.as_dict(private=False)]})

    def authorize(self):
        asked = request.args.to_dict()
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert asked["scope"].split() == ["openid"]
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    def token(self):
        said, asked = request.form, self.codes.pop(request.form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(said["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        client = (request.authorization.username, request.authorization.password) if request.authorization else None
        if (
            asked is None
            or client != (CLIENT, SECRET)
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != said["redirect_uri"]
        ):
            return Response('{"error":"invalid_grant"}', 400, content_type="application/json")
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if name not in self.drop}
        header = {"alg": self.algorithm, "kid": "one"}
        signed = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return jsonify({"access_token": "unused", "token_type": "Bearer", "id_token": signed})
