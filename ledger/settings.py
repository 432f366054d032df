"""Settings: where state lives and how it is reached. Read from the environment once, at the entry points, and checked at once."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger.errors import SettingsError

DEFAULT_ORIGIN = "shouwang.local/ledger"
TOKEN_REQUESTS, ADDRESS_REQUESTS = 6_000, 30_000
_ADDRESS = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
_ORIGIN = re.compile(r"[a-z0-9.:-]+(/[A-Za-z0-9._-]+)*")


@dataclass(frozen=True)
class Settings:
    """One deployment.

    home: folder of everything that is not in the database: keys, key store, checkpoint guard (and the embedded database).
    database_url: SQLAlchemy URL; SQLite under *home* unless PostgreSQL is named.
    origin: the log's name in checkpoints (C2SP: URL prefix without scheme); fixed for ever once the store is made.
    require_restricted_role: refuse to work on PostgreSQL under a role that could change the log (database_role.py).
    wrapping_given, wrapping_next: the key-encryption key and the one to follow it, where the environment gives them (people/wrapping.py).
    webhooks_private: webhooks may be in one's own network, and on plain http (addresses.py).
    messages_to: how messages reach phones: nothing (not at all), "file" (into a file under *home*), or the address of a program (gateways.py).
    messages_secret: what that program and we know.
    address: how people reach the web pages (https://volunteer.example.gov.cn); empty: by an IP address, or a name of their own network.
    credentials_by_web: Verifiable Credentials are issued by the site's name (did:web) and not by a key alone (did:key).
    backups_given: the folder of the nightly backups, better on another disk; empty: one under *home*.
    token_requests, address_requests: API requests a minute that one token and one network address may make.
    """

    home: Path
    database_url: str
    origin: str = DEFAULT_ORIGIN
    require_restricted_role: bool = False
    wrapping_given: str = field(default="", repr=False)
    wrapping_next: str = field(default="", repr=False)
    webhooks_private: bool = False
    messages_to: str = ""
    messages_secret: str = field(default="", repr=False)
    token_requests: int = TOKEN_REQUESTS
    address_requests: int = ADDRESS_REQUESTS
    address: str = ""
    credentials_by_web: bool = False
    backups_given: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings: SHOUWANG_ and the name of each, as the README lists them.

        Raises SettingsError naming everything that is wrong.
        """
        home = Path(env.get("SHOUWANG_HOME") or "var").absolute()
        url = env.get("SHOUWANG_DATABASE_URL") or f"sqlite:///{home / 'ledger.db'}"
        origin = env.get("SHOUWANG_ORIGIN") or DEFAULT_ORIGIN
        restricted = env.get("SHOUWANG_REQUIRE_RESTRICTED_ROLE") or "0"
        private = env.get("SHOUWANG_WEBHOOKS_PRIVATE") or "0"
        limits = [env.get(f"SHOUWANG_API_{name}_PER_MINUTE") or "" for name in ("TOKEN", "ADDRESS")]
        messages_to, messages_secret = env.get("SHOUWANG_MESSAGES") or "", env.get("SHOUWANG_MESSAGES_SECRET") or ""
        address = (env.get("SHOUWANG_ADDRESS") or "").rstrip("/")
        issuer = env.get("SHOUWANG_CREDENTIALS") or "did:key"
        wrong = []
        if url.startswith("postgresql://"):
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            wrong.append("SHOUWANG_DATABASE_URL 应以 sqlite:/// 或 postgresql:// 开头")
        if not _ORIGIN.fullmatch(origin):
            wrong.append("SHOUWANG_ORIGIN 应是不带协议的网址前缀，例如 volunteer.example.gov.cn/ledger")
        if messages_to not in ("", "file") and not (messages_to.startswith(("https://", "http://")) and len(messages_secret) >= 16):
            wrong.append("SHOUWANG_MESSAGES 应为 file 或发送程序的网址；用网址时，SHOUWANG_MESSAGES_SECRET 至少 16 个字符")
        if address and not _ADDRESS.fullmatch(address):
            wrong.append("SHOUWANG_ADDRESS 应是大家打开网页用的网址，例如 https://volunteer.example.gov.cn")
        if issuer not in ("did:key", "did:web") or (issuer == "did:web" and not address.startswith("https://")):
            wrong.append("SHOUWANG_CREDENTIALS 应为 did:key 或 did:web；用 did:web 时，SHOUWANG_ADDRESS 应设为 https 的网址")
        switches = {"SHOUWANG_REQUIRE_RESTRICTED_ROLE": restricted, "SHOUWANG_WEBHOOKS_PRIVATE": private}
        wrong += [f"{name} 应为 1 或 0" for name, said in switches.items() if said not in ("0", "1")]
        if not all(re.fullmatch(r"([1-9]\d{0,8})?", said, re.ASCII) for said in limits):
            wrong.append("SHOUWANG_API_TOKEN_PER_MINUTE 和 SHOUWANG_API_ADDRESS_PER_MINUTE 应是正整数")
        if wrong:
            raise SettingsError("；".join(wrong))
        by_token, by_address = (
            int(said) if said else usual for said, usual in zip(limits, (TOKEN_REQUESTS, ADDRESS_REQUESTS), strict=True)
        )
        return cls(
            home,
            url,
            origin,
            restricted == "1",
            wrapping_given=env.get("SHOUWANG_WRAPPING_KEY") or "",
            wrapping_next=env.get("SHOUWANG_WRAPPING_KEY_NEXT") or "",
            webhooks_private=private == "1",
            messages_to=messages_to,
            messages_secret=messages_secret,
            token_requests=by_token,
            address_requests=by_address,
            address=address,
            credentials_by_web=issuer == "did:web",
            backups_given=env.get("SHOUWANG_BACKUPS") or "",
        )

    @property
    def signing_key(self) -> Path:
        """The log's Ed25519 private key (PEM, mode 0600)."""
        return self.home / "keys" / "log-signing.pem"

    @property
    def wrapping_key(self) -> Path:
        """The key-encryption key, unless the environment gives it: 32 bytes in hex, mode 0600."""
        return self.home / "keys" / "wrapping.key"

    @property
    def next_wrapping_key(self) -> Path:
        """The key-encryption key that is about to take its place: there only while a rotation is on."""
        return self.home / "keys" / "wrapping-next.key"

    @property
    def blind_key(self) -> Path:
        """The key of the blind indexes: 32 bytes in hex, mode 0600."""
        return self.home / "keys" / "blind-index.key"

    @property
    def session_key(self) -> Path:
        """The key that signs session cookies: 32 bytes in hex, mode 0600."""
        return self.home / "keys" / "session.key"

    @property
    def key_store(self) -> Path:
        """The store of wrapped per-person keys, apart from the database so that erasing there reaches old backups of it."""
        return self.home / "key-store.db"

    @property
    def guard(self) -> Path:
        """The second store: the last checkpoint signed, and whose data keys were destroyed. Never part of a backup."""
        return self.home / "last-signed.db"

    @property
    def backups(self) -> Path:
        """Where the nightly backups go: of the database the newest few, of the key store the newest."""
        return Path(self.backups_given).absolute() if self.backups_given else self.home / "backups"

    @property
    def verified(self) -> Path:
        """Where the last verification got to. Never part of a backup; it may be removed at any time."""
        return self.home / "verified.db"

    @property
    def messages_file(self) -> Path:
        """Where messages to phones are written down instead of being sent, if the settings say so. Holds phone numbers; never part of a backup."""
        return self.home / "messages.jsonl"

    @property
    def witness_policy(self) -> Path:
        """Whom this log asks for cosignatures and how many are enough (C2SP tlog-policy); without the file, nobody."""
        return self.home / "witnesses.policy"

    @property
    def witness_key(self) -> Path:
        """The Ed25519 private key by which this deployment cosigns others' logs (PEM, mode 0600)."""
        return self.home / "keys" / "witness.pem"

    @property
    def witness_store(self) -> Path:
        """What this deployment has cosigned as a witness. Never part of a backup: put back older, it would cosign a fork."""
        return self.home / "witness.db"
