"""Who somebody is elsewhere: identities of a provider of single sign-on, and the users that they sign in as.

An identity is the pair of issuer and subject (OpenID Connect Core, 5.7), which never changes. A name that a provider
tells never leads to an existing user: only an administrator links the two.
"""

import time
from enum import StrEnum

import msgspec
import sqlalchemy as sa
import structlog
from msgspec.structs import replace

from ari_bridge.accounts.accounts import Accounts
from ari_bridge.accounts.database import Change, user_of
from ari_bridge.accounts.errors import UnknownUser
from ari_bridge.accounts.names import InvalidUser, is_new_name
from ari_bridge.accounts.schema import identities, users
from ari_bridge.accounts.user import ADMIN, DEFAULT_TENANT, User, new_user_id
from ari_bridge.audit import Action, Result

MAX_SUBJECT_CHARACTERS = 255

log = structlog.get_logger(__name__)


class Identity(msgspec.Struct, frozen=True):
    """`issuer`: the provider's URL. `subject`: its id of the person (`sub`), at most 255 characters."""

    issuer: str
    subject: str


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of somebody who signs in.

    Args:
        name: For a new user; "" if the provider tells none that can be used.
        display_name: Who that is, for people; as `name`.
        roles: Those that the person's groups give, () if none does; None if roles are given here.
        class_of_service: As the groups say; None if it is given here.
        create: Whether a user is made for an identity that has none.
    """

    name: str
    display_name: str = ""
    roles: tuple[str, ...] | None = None
    class_of_service: str | None = None
    create: bool = False


class Refusal(StrEnum):
    """Why an identity may not sign in."""

    UNKNOWN_USER = "unknown_user"  # no user is linked, and none may be made
    NAME_TAKEN = "name_taken"  # none is linked, and there is a user of that name
    NO_NAME = "no_name"  # none is linked, and the provider tells no name that can be used
    REMOVED = "removed"  # the linked user was removed
    LOCKED = "locked"
    NO_ROLE = "no_role"  # none of the person's groups gives one


class IdentityRefused(Exception):
    """`name`: of the user, or the one that a new user would have had."""

    def __init__(self, reason: Refusal, name: str = "") -> None:
        super().__init__(reason, name)
        self.reason = reason
        self.name = name

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.name}" if self.name else self.reason.value


class Identities:
    """`accounts`: the users."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def sign_in(self, identity: Identity, said: Entitlement) -> User:
        """The user of this identity, with the roles and the class of service that its groups give now.

        Who has lost a role has signed in nowhere any more. The last admin stays one, whatever the groups say.
        Raises IdentityRefused, AccountsUnavailable.
        """
        refused: IdentityRefused | None = None
        kept = False
        async with self._accounts.changing() as change:
            user = await self._linked(change, identity)
            if user is None:
                changed = await self._create(change, identity, said)
            else:
                changed = _entitled(user, said)
                kept = user.administers and not changed.administers and not await change.has_other_admin(user)
                if kept:
                    changed = _entitled(user, replace(said, roles=(ADMIN, *changed.roles)))
                if changed != user:
                    changed = await change.update(changed)
                refused = _refusal(user, said)
        self._accounts.record_change(user, changed)
        if kept:
            self._tell_kept(changed, said)
        if refused:  # only now: that the rights end is stored all the same
            raise refused
        return changed

    def _tell_kept(self, user: User, said: Entitlement) -> None:
        log.error(
            "the provider takes the role admin from the only admin, who keeps it: make another one first",
            user=user.name,
        )
        self._accounts.audit.record(
            Action.USER_ROLES,
            user.name,
            result=Result.REFUSED,
            details={"id": user.id, "old": user.roles, "new": said.roles or (), "reason": "the last admin"},
        )

    async def link(self, name: str, identity: Identity) -> None:
        """Let the identity sign in as this user from now on. Raises InvalidUser, UnknownUser, AccountsUnavailable."""
        _check(identity)
        async with self._accounts.changing() as change:
            user = await change.find(DEFAULT_TENANT, name)
            if user is None:
                raise UnknownUser(name)
            linked = await self._linked(change, identity)
            if linked and linked.removed_at is None and linked.id != user.id:
                raise InvalidUser(f"this identity is {linked.name}'s: unlink it first", "subject")
            await change.connection.execute(sa.delete(identities).where(*_is(identity)))
            await self._insert(change, identity, user)
        self._accounts.audit.record(Action.USER_LINK, user.name, issuer=identity.issuer, subject=identity.subject)

    async def unlink(self, identity: Identity) -> str:
        """Forget the identity; all that its user has signed in to ends. The user's name.

        Raises InvalidUser (it is linked to nobody), AccountsUnavailable.
        """
        async with self._accounts.changing() as change:
            user = await self._linked(change, identity)
            if user is None:
                raise InvalidUser("this identity is linked to no user", "subject")
            await change.connection.execute(sa.delete(identities).where(*_is(identity)))
            await change.update(replace(user, generation=user.generation + 1))
        self._accounts.audit.record(Action.USER_UNLINK, user.name, issuer=identity.issuer, subject=identity.subject)
        return user.name

    async def _linked(self, change: Change, identity: Identity) -> User | None:
        wanted = sa.select(users).join(identities, identities.c.user_id == users.c.id).where(*_is(identity))
        row = (await change.connection.execute(wanted)).one_or_none()
        return user_of(row) if row else None

    async def _create(self, change: Change, identity: Identity, said: Entitlement) -> User:
        if said.roles == ():
            raise IdentityRefused(Refusal.NO_ROLE, said.name)
        if not is_new_name(said.name):
            raise IdentityRefused(Refusal.NO_NAME if said.create else Refusal.UNKNOWN_USER)
        if await change.find(DEFAULT_TENANT, said.name):
            raise IdentityRefused(Refusal.NAME_TAKEN, said.name)
        if not said.create:
            raise IdentityRefused(Refusal.UNKNOWN_USER, said.name)
        now = time.time()
        user = _entitled(
            User(id=new_user_id(), name=said.name, display_name=said.display_name, name_since=now, created_at=now), said
        )
        [user] = await change.insert([user])
        await self._insert(change, identity, user)
        return user

    async def _insert(self, change: Change, identity: Identity, user: User) -> None:
        values = {"issuer": identity.issuer, "subject": identity.subject, "user_id": user.id, "created_at": time.time()}
        await change.connection.execute(sa.insert(identities).values(values))


def _refusal(user: User, said: Entitlement) -> IdentityRefused | None:
    if user.removed_at is not None:
        return IdentityRefused(Refusal.REMOVED, user.name)
    if user.locked:
        return IdentityRefused(Refusal.LOCKED, user.name)
    return IdentityRefused(Refusal.NO_ROLE, user.name) if said.roles == () else None


def _entitled(user: User, said: Entitlement) -> User:
    """The user with what the groups give. What is taken away ends what the user has signed in to."""
    roles = user.roles if said.roles is None else said.roles
    class_of_service = user.class_of_service if said.class_of_service is None else said.class_of_service
    less = not set(user.roles) <= set(roles) or class_of_service != user.class_of_service
    return replace(
        user, roles=roles, class_of_service=class_of_service, generation=user.generation + int(less and user.active)
    )


def _is(identity: Identity) -> tuple[sa.ColumnElement[bool], ...]:
    return identities.c.issuer == identity.issuer, identities.c.subject == identity.subject


def _check(identity: Identity) -> None:
    """Raises InvalidUser."""
    if not identity.issuer or not 0 < len(identity.subject) <= MAX_SUBJECT_CHARACTERS:
        raise InvalidUser(f"a subject has 1 to {MAX_SUBJECT_CHARACTERS} characters, and an issuer is a URL", "subject")
