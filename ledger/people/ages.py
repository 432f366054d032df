"""
Ages: from when on somebody registers alone, with a guardian, or under the special rules for children; numbers that a district sets.

They are adopted by an entry as the policy `people`; until then the bands of national practice hold (《中国注册志愿者管理办法》: alone from 18 on, with
a guardian's consent before; 个人信息保护法 articles 28 and 31: below 14 all data are sensitive and need special rules). The log says no age and no birth
date: both follow from the sealed ID number when they are asked for.
"""

from dataclasses import asdict, dataclass
from datetime import date

import orjson
from sqlalchemy import Connection

from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest
from ledger.log import Fact
from ledger.people import identity
from ledger.tables import PolicyRow, table
from ledger.transactions import WriteTransaction

POLICY = "people"
SPECIAL_RULES = (
    "未满 14 岁儿童的资料按敏感个人信息保护：只收本页列出的几项，不公开姓名，不展示照片，不用于评比宣传；"
    "只有本站经办人能看到监护人电话；监护人可以随时查阅、更正、要求注销。"
)
"""What is said to a child's guardian (个人信息保护法 article 31: special processing rules)."""
_POLICY = table(PolicyRow)
_AGE_MAX = 120


@dataclass(frozen=True)
class AgePolicy:
    """Ages in full years: alone from *adult_age* on; under *child_age* the special rules hold; under *minimum_age* nobody is registered."""

    adult_age: int = 18
    child_age: int = 14
    minimum_age: int = 6

    def band(self, id_number: str, today: date) -> str:
        """Say which rules hold for somebody: adult, minor, child or too_young."""
        years = age(id_number, today)
        if years >= self.adult_age:
            return "adult"
        if years >= self.child_age:
            return "minor"
        return "child" if years >= self.minimum_age else "too_young"

    def adult_on(self, id_number: str) -> date:
        """Give the day from which somebody speaks for themselves."""
        born = identity.birth_date(id_number)
        try:
            return born.replace(year=born.year + self.adult_age)
        except ValueError:  # born on 29 February
            return date(born.year + self.adult_age, 3, 1)


def age(id_number: str, today: date) -> int:
    """Count full years by the birth date in a checked ID number."""
    born = identity.birth_date(id_number)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def in_force(connection: Connection, on: str) -> AgePolicy:
    """Read the bands in force on a day."""
    rows = [row for row in rows_where_in(connection, _POLICY.c, _POLICY.c.policy, [POLICY]) if row.effective_on <= on]
    newest = max(rows, key=lambda row: row.effective_on, default=None)
    return AgePolicy(**orjson.loads(newest.rules)) if newest is not None else AgePolicy()


def read(content: bytes) -> AgePolicy:
    """Read a policy file: JSON with the three ages. Raises InvalidRequest."""
    try:
        said = orjson.loads(content)
        policy = AgePolicy(**said)
    except (orjson.JSONDecodeError, TypeError):
        raise InvalidRequest('年龄规则应是这样的 JSON：{"adult_age": 18, "child_age": 14, "minimum_age": 6}') from None
    ages = (policy.minimum_age, policy.child_age, policy.adult_age)
    if not all(type(one) is int and 0 <= one <= _AGE_MAX for one in ages) or sorted(ages) != list(ages):
        raise InvalidRequest("年龄应是整数，而且最低年龄 ≤ 儿童年龄 ≤ 成年年龄，请核对")
    return policy


def adopt(tx: WriteTransaction, policy: AgePolicy, *, effective_on: str, document: str | None = None) -> None:
    """Adopt age bands from a day on; *document* names the decision they come from."""
    tx.require("set_up", None)
    body: dict[str, object] = {"policy": POLICY, "effective_on": effective_on, "rules": asdict(policy)}
    if document:
        body["document"] = document
    tx.append([Fact("policy.adopted", body)])
