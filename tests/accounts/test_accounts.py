"""Users, invites, logins and slave keys, on both databases."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from sqlalchemy import select, update

from farm.accounts import invites, logins, opaque, slavekeys, users
from farm.accounts.authenticator import AT_ONCE, TTL, Authenticator
from farm.accounts.identity import Identity
from farm.accounts.logins import LIFE, NOTED_EVERY
from farm.accounts.passphrases import Passphrases
from farm.database import schema
from farm.database.handle import Database
from farm.protocol.accounts import MakeInvite, Role
from farm.words.clock import SECOND
from farm.words.errors import Forbidden, NameTaken, NotFound, RegistrationRefused, SlaveBusyElsewhere, WrongPassphrase
from farm.words.states import SlaveState

NOW = 1_700_000_000 * SECOND


def new_user(database: Database, name: str = "ada", invite: str | None = None, at: int = NOW) -> Identity:
    new = users.NewUser(name, "hash", 10**9)
    user = database.write_now(partial(users.register, new=new, invite=invite, at=at))
    row = database.read_now(partial(users.find, name=name))
    assert row is not None
    return Identity(user, name, Role(row["role"]), b"")


def new_invite(database: Database, **wish: object) -> str:
    made = MakeInvite.model_validate(wish)
    return database.write_now(partial(invites.make, wish=made, at=NOW)).code


def test_an_invite_admits_as_many_as_it_says_with_its_role(database: Database) -> None:
    code = new_invite(database, uses=2, role="admin")
    assert new_user(database, "ada", code).is_admin
    assert new_user(database, "bob", f" {code.upper()} ").is_admin
    with pytest.raises(RegistrationRefused):
        new_user(database, "eve", code)
    assert database.read_now(partial(users.find, name="eve")) is None


def test_an_invite_expires(database: Database) -> None:
    code = new_invite(database, days=1)
    with pytest.raises(RegistrationRefused):
        new_user(database, "late", code, at=NOW + 86_401 * SECOND)


def test_a_taken_name_uses_no_invite_up(database: Database) -> None:
    code = new_invite(database)
    new_user(database, "ada")
    with pytest.raises(NameTaken):
        new_user(database, "ada", code)
    new_user(database, "bob", code)


def test_only_hashes_are_kept(database: Database) -> None:
    code = new_invite(database)
    user = new_user(database)
    token = database.write_now(partial(logins.grant_user, user=user.id, device="laptop", at=NOW))
    made = database.write_now(partial(slavekeys.make, name="ws01", owner=user, at=NOW))
    kept = str([database.read_now(lambda c, t=t: c.execute(select(t)).all()) for t in schema.metadata.sorted_tables])  # type: ignore[misc]
    assert not any(secret in kept for secret in (code, token, made.password))


def test_a_token_lasts_180_days_from_its_last_use(database: Database) -> None:
    user = new_user(database)
    token = opaque.digest(database.write_now(partial(logins.grant_user, user=user.id, device="", at=NOW)))
    found = database.read_now(partial(logins.find, token=token, at=NOW + LIFE - 1))
    assert found is not None
    assert found.identity == Identity(user.id, "ada", Role.USER, token)
    assert database.read_now(partial(logins.find, token=token, at=NOW + LIFE)) is None
    database.write_now(partial(logins.note_use, token=token, at=NOW + LIFE - 1))
    assert database.read_now(partial(logins.find, token=token, at=NOW + LIFE)) is not None
    assert database.write_now(partial(logins.forget_expired, at=NOW + 3 * LIFE)) == 1


def test_uses_are_noted_hourly_and_revoked_tokens_forgotten(database: Database) -> None:
    user = new_user(database)
    token = database.write_now(partial(logins.grant_user, user=user.id, device="", at=NOW))
    digest, time = opaque.digest(token), NOW

    def used() -> int:
        return int(database.read_now(lambda c: c.execute(select(schema.tokens.c.used)).scalar_one()))

    async def story() -> None:
        nonlocal time
        who = Authenticator(database, lambda: time)
        time = NOW + NOTED_EVERY - 1
        assert await who.identify(token)
        await asyncio.gather(*who._notes)
        assert used() == NOW
        time = NOW + NOTED_EVERY + TTL
        assert await who.identify(token)
        await asyncio.gather(*who._notes)
        assert used() == time
        await database.write(partial(logins.revoke, token=digest))
        assert await who.identify(token), "believed for a few seconds, unless this process revoked it"
        who.forget(digest)
        assert await who.identify(token) is None
        assert await who.identify("distren_user_guess") is None

    asyncio.run(story())


@pytest.mark.parametrize("by", [TTL, -86_400 * SECOND], ids=["seconds", "a clock that was put back"])
def test_another_process_s_revocation_works_here_after_seconds(database: Database, by: int) -> None:
    user = new_user(database)
    token = database.write_now(partial(logins.grant_user, user=user.id, device="", at=NOW))
    time = NOW

    async def story() -> None:
        nonlocal time
        who = Authenticator(database, lambda: time)
        assert await who.identify(token)
        await database.write(partial(logins.revoke, token=opaque.digest(token)))
        time += by
        assert await who.identify(token) is None

    asyncio.run(story())


def test_tokens_in_use_are_renewed_together_before_their_answers_end(database: Database) -> None:
    user = new_user(database)
    some = database.write_now(lambda c: [logins.grant_user(c, user.id, "", NOW) for _ in range(AT_ONCE + 1)])
    time, revoked = NOW, opaque.digest(some[1])
    who = Authenticator(database, lambda: time)

    async def story() -> None:
        nonlocal time
        for token in some:
            assert await who.identify(token)
        await database.write(partial(logins.revoke, token=revoked))
        time += TTL - 1
        await who.renew()
        time += TTL - 2
        database.close()  # nobody is asked any more
        assert await who.identify(some[0])
        assert await who.identify(some[-1])
        assert revoked not in who._known

    asyncio.run(story())


def test_what_is_revoked_while_it_is_renewed_stays_revoked(database: Database) -> None:
    user, time = new_user(database), NOW
    token = database.write_now(partial(logins.grant_user, user=user.id, device="", at=NOW))
    who = Authenticator(database, lambda: time)

    async def story() -> None:
        nonlocal time
        assert await who.identify(token)
        time += TTL - 1
        asked = asyncio.create_task(who.renew())
        await asyncio.sleep(0)
        await database.write(partial(logins.revoke, token=opaque.digest(token)))
        who.forget(opaque.digest(token))
        await asked
        assert await who.identify(token) is None

    asyncio.run(story())


def test_a_slave_logs_in_and_a_second_one_only_after_15_seconds_of_silence(database: Database) -> None:
    owner = new_user(database)
    made = database.write_now(partial(slavekeys.make, name="ws01", owner=owner, at=NOW))
    first = database.write_now(partial(slavekeys.log_in, key=made.key, password=made.password, at=NOW))
    alive = update(schema.slaves).values(state=SlaveState.IDLE, seen=NOW)
    database.write_now(lambda c: c.execute(alive))
    with pytest.raises(SlaveBusyElsewhere) as caught:
        database.write_now(partial(slavekeys.log_in, key=made.key, password=made.password, at=NOW + 14 * SECOND))
    assert caught.value.facts["retry_after"] == 1
    again = database.write_now(partial(slavekeys.log_in, key=made.key, password=made.password, at=NOW + 15 * SECOND))
    assert again.token != first.token
    find = partial(logins.find, token=opaque.digest(first.token), at=NOW)
    assert database.read_now(find) is None, "the first login is void"


def test_a_slave_that_went_offline_may_come_back_at_once(database: Database) -> None:
    made = database.write_now(partial(slavekeys.make, name="ws01", owner=new_user(database), at=NOW))
    database.write_now(lambda c: c.execute(update(schema.slaves).values(state=SlaveState.OFFLINE, seen=NOW)))
    database.write_now(partial(slavekeys.log_in, key=made.key, password=made.password, at=NOW + 1))


@pytest.mark.parametrize("wrong", ["key", "password", "both"])
def test_a_wrong_slave_key_or_password_is_refused_alike(database: Database, wrong: str) -> None:
    made = database.write_now(partial(slavekeys.make, name="ws01", owner=new_user(database), at=NOW))
    key = made.key if wrong == "password" else "nothing"
    password = made.password if wrong == "key" else "nothing"
    with pytest.raises(WrongPassphrase, match="Slave key or password"):
        database.write_now(partial(slavekeys.log_in, key=key, password=password, at=NOW))


def test_a_new_password_voids_the_old_one_and_its_login(database: Database) -> None:
    owner = new_user(database)
    old = database.write_now(partial(slavekeys.make, name="ws01", owner=owner, at=NOW))
    login = database.write_now(partial(slavekeys.log_in, key=old.key, password=old.password, at=NOW))
    new = database.write_now(partial(slavekeys.make, name="ws01", owner=owner, at=NOW))
    assert database.read_now(partial(logins.find, token=opaque.digest(login.token), at=NOW)) is None
    with pytest.raises(WrongPassphrase):
        database.write_now(partial(slavekeys.log_in, key=old.key, password=old.password, at=NOW))
    database.write_now(partial(slavekeys.log_in, key=new.key, password=new.password, at=NOW))


def test_slave_names_are_unique_and_only_owner_and_admin_may_steer(database: Database) -> None:
    owner, other = new_user(database, "ada"), new_user(database, "bob")
    admin = new_user(database, "root", new_invite(database, role="admin"))
    database.write_now(partial(slavekeys.make, name="ws01", owner=owner, at=NOW))
    with pytest.raises(NameTaken):
        database.write_now(partial(slavekeys.make, name="ws01", owner=other, at=NOW))
    with pytest.raises(Forbidden):
        database.read_now(partial(slavekeys.own, name="ws01", asker=other))
    with pytest.raises(NotFound):
        database.read_now(partial(slavekeys.own, name="ws02", asker=owner))
    mine = database.read_now(partial(slavekeys.own, name="ws01", asker=owner))
    assert mine == database.read_now(partial(slavekeys.own, name="ws01", asker=admin))


def test_a_retired_slave_has_no_login(database: Database) -> None:
    made = database.write_now(partial(slavekeys.make, name="ws01", owner=new_user(database), at=NOW))
    login = database.write_now(partial(slavekeys.log_in, key=made.key, password=made.password, at=NOW))
    database.write_now(lambda c: c.execute(update(schema.slaves).values(state=SlaveState.RETIRED)))
    assert database.read_now(partial(logins.find, token=opaque.digest(login.token), at=NOW)) is None
    with pytest.raises(WrongPassphrase):
        database.write_now(partial(slavekeys.log_in, key=made.key, password=made.password, at=NOW))


def test_passphrases_verify_and_an_unknown_user_takes_as_long() -> None:
    passphrases = Passphrases()

    async def story() -> None:
        kept = await passphrases.hash("correct horse")
        assert kept.startswith("$argon2id$")
        assert "correct" not in kept
        assert await passphrases.verify(kept, "correct horse")
        assert not await passphrases.verify(kept, "correct horsf")
        assert not await passphrases.verify(None, "nobody's")
        assert not await passphrases.verify("", "x")

    asyncio.run(story())
    passphrases.close()
