"""API tokens: shown once, kept as a digest, ended by a day, a revocation or their account."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from world import HOME

from ledger.errors import InvalidRequest, NotAllowed, NotFound
from ledger.people.accounts import Accounts
from ledger.people.actors import OPERATOR
from ledger.people.tokens import CACHE_SECONDS, CACHED_MAX, Tokens


@pytest.fixture
def accounts(world):
    world.station(HOME)
    made = Accounts(world.ledger, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    for login, role, station in (("clerk", "recorder", HOME), ("inspector", "auditor", None), ("admin", "administrator", None)):
        made.create(OPERATOR, login, role, station=station, password="correct horse battery")
    return made


@pytest.fixture
def tokens(world, accounts):
    return Tokens(world.ledger)


def actor(accounts, login):
    return accounts.sign_in(login, "correct horse battery").actor


def test_a_token_acts_as_its_account_within_its_scopes(world, accounts, tokens):
    secret = tokens.issue(OPERATOR, "clerk", ["log:read", "service-records:write", "log:read"], world.today)
    bearer = tokens.resolve(secret)
    assert bearer.actor == actor(accounts, "clerk")
    assert bearer.scopes == {"log:read", "service-records:write"}
    assert bearer.may("service-records:write")
    assert not bearer.may("entries:read")


def test_secrets_are_long_random_and_never_stored(world, tokens):
    secrets = {tokens.issue(OPERATOR, "clerk", ["log:read"], world.today) for _ in range(5)}
    assert len(secrets) == 5
    assert {(one[:3], len(one)) for one in secrets} == {("sw_", 46)}
    stored = repr(world.sql("SELECT * FROM api_token"))
    assert not any(secret in stored or secret[3:] in stored for secret in secrets)


def test_a_scope_that_the_role_does_not_allow_is_not_issued(world, tokens):
    for login, scopes in (("clerk", ["entries:read"]), ("inspector", ["service-records:write"]), ("clerk", []), ("clerk", ["everything"])):
        with pytest.raises(InvalidRequest):
            tokens.issue(OPERATOR, login, scopes, world.today)
    with pytest.raises(NotFound):
        tokens.issue(OPERATOR, "nobody", ["log:read"], world.today)


def test_a_token_lasts_a_year_at_most_and_to_the_end_of_its_day(world, tokens):
    for day in (world.today - timedelta(days=1), world.today + timedelta(days=367)):
        with pytest.raises(InvalidRequest):
            tokens.issue(OPERATOR, "clerk", ["log:read"], day)
    secret = tokens.issue(OPERATOR, "clerk", ["log:read"], world.today + timedelta(days=1))
    world.clock.now = world.clock.now.replace(hour=23, minute=59) + timedelta(days=1)
    tokens.resolve(secret)
    world.advance(minutes=1)
    with pytest.raises(NotAllowed):
        tokens.resolve(secret)
    assert tokens.everyone(OPERATOR)[0].state == "expired"


def test_one_issues_for_oneself_and_only_the_operator_for_others(world, accounts, tokens):
    clerk, admin = actor(accounts, "clerk"), actor(accounts, "admin")
    tokens.issue(clerk, "clerk", ["log:read"], world.today)
    tokens.issue(OPERATOR, "inspector", ["entries:read"], world.today)
    for somebody in (clerk, admin):
        for login in ("inspector", "nobody"):
            with pytest.raises(NotAllowed, match="主人自己发"):
                tokens.issue(somebody, login, ["log:read"], world.today)
    with pytest.raises(NotAllowed):
        tokens.everyone(clerk)
    theirs = next(one for one in tokens.everyone(admin) if one.login == "inspector")
    for unknown in (theirs.id, "2222222222"):
        with pytest.raises((NotAllowed, InvalidRequest)):
            tokens.revoke(clerk, unknown)


def test_a_revocation_holds_at_once_here_and_within_seconds_elsewhere(world, tokens):
    secret, elsewhere = tokens.issue(OPERATOR, "clerk", ["log:read"], world.today), Tokens(world.ledger)
    tokens.resolve(secret)
    elsewhere.resolve(secret)
    tokens.revoke(OPERATOR, tokens.everyone(OPERATOR)[0].id)
    with pytest.raises(NotAllowed):
        tokens.resolve(secret)
    elsewhere.resolve(secret)
    world.advance(seconds=CACHE_SECONDS)
    with pytest.raises(NotAllowed):
        elsewhere.resolve(secret)
    assert tokens.everyone(OPERATOR)[0].state == "revoked"


def test_a_token_ends_with_its_account(world, accounts, tokens):
    secret = tokens.issue(OPERATOR, "clerk", ["log:read"], world.today)
    tokens.resolve(secret)
    accounts.set_disabled(OPERATOR, "clerk", disabled=True)
    world.advance(seconds=CACHE_SECONDS)
    with pytest.raises(NotAllowed):
        tokens.resolve(secret)
    with pytest.raises(NotFound):
        tokens.issue(OPERATOR, "clerk", ["log:read"], world.today)


def test_last_use_is_noted_once_a_minute(world, tokens):
    secret = tokens.issue(OPERATOR, "clerk", ["log:read"], world.today)
    assert tokens.everyone(OPERATOR)[0].last_used_at is None
    seen = []
    for _ in range(12):
        tokens.resolve(secret)
        seen.append(tokens.everyone(OPERATOR)[0].last_used_at[11:19])
        world.advance(seconds=10)
    assert seen == ["09:00:00"] * 6 + ["09:01:00"] * 6


def test_many_tokens_are_forgotten_rather_than_kept_without_end(world, tokens):
    secret = tokens.issue(OPERATOR, "clerk", ["log:read"], world.today)
    bearer = tokens.resolve(secret)
    tokens._found.update({n.to_bytes(32): (world.clock.now, bearer) for n in range(CACHED_MAX)})
    world.advance(seconds=CACHE_SECONDS)
    tokens.resolve(secret)
    assert len(tokens._found) <= CACHED_MAX
    for wrong in ("", "sw_", secret + "A", secret[:-1], secret.upper(), "密码"):
        with pytest.raises(NotAllowed):
            tokens.resolve(wrong)
    assert len(tokens._found) <= CACHED_MAX
