"""
Categories of community social organisations: four schemes that plans of four places use, none of which agrees with another, as versioned code tables.

A value is always kept with its scheme, so it can be read for ever. `translate` goes through the home scheme (four-kinds-2022), the finest of
them; where a kind has no single counterpart it gives all that it may be, and a person decides. Whether an organisation is one for
volunteer service is no category but a flag beside it. Codes are part of the entry format: they are never renamed, only added to.

Sources: 柳北区 2022 (four kinds), 乐山 2022 (功能服务型、兴趣爱好型、志愿服务型), 广州 2021 (five kinds), 浙江 2018 (自治、平安、服务、文体).
"""

from dataclasses import dataclass

from ledger import codes


@dataclass(frozen=True)
class Scheme:
    """A code table: its name, the document it comes from, and its kinds by code."""

    name: str
    document: str
    kinds: dict[str, str]


SCHEMES = {
    codes.CATEGORY_SCHEME: Scheme("四类", "《柳北区培育发展社区社会组织行动方案》（2022）", codes.CATEGORIES),
    "three-kinds-2022": Scheme(
        "功能、兴趣、志愿",
        "乐山市“十四五”社区社会组织规划（2022）",
        {"functional": "功能服务型", "interest": "兴趣爱好型", "voluntary": "志愿服务型"},
    ),
    "five-kinds-2021": Scheme(
        "五类",
        "穗民〔2021〕193号（2021）",
        {
            "daily-life": "生活服务性",
            "charity": "公益慈善性",
            "mutual-aid": "居民互助性",
            "culture-leisure": "文体娱乐性",
            "rural-production": "农村生产技术服务性",
        },
    ),
    "four-types-2018": Scheme(
        "自治、平安、服务、文体",
        "浙民民〔2018〕155号（2018）",
        {"self-government": "自治类", "safety": "平安类", "services": "服务类", "culture-sports": "文体类"},
    ),
}
EXAMPLES = {
    "charity": "扶贫、济困、扶老、救孤、恤病、助残、优抚、救灾、助医、助学、环保",
    "daily-life": "养老、医疗保健、托幼、文化教育、就业培训、家政维修",
    "community-affairs": "卫生、治安巡逻、心理健康、法律服务、物业协商、红白理事、纠纷调处、农村生产服务",
    "culture-sports": "书画、球类、棋牌、歌舞、健身、武术、戏曲、乐器",
}
"""What the kinds of the home scheme are about, as its document says."""
_FROM_HOME: dict[str, dict[str, tuple[str, ...]]] = {
    "three-kinds-2022": {
        "charity": ("interest", "voluntary"),
        "daily-life": ("functional",),
        "community-affairs": ("functional",),
        "culture-sports": ("interest",),
    },
    "five-kinds-2021": {
        "charity": ("charity",),
        "daily-life": ("daily-life",),
        "community-affairs": ("mutual-aid", "rural-production"),
        "culture-sports": ("culture-leisure",),
    },
    "four-types-2018": {
        "charity": ("services",),
        "daily-life": ("services",),
        "community-affairs": ("self-government", "safety"),
        "culture-sports": ("culture-sports",),
    },
}
"""Home kind -> what it may be in another scheme."""


def name_of(scheme: str, category: str) -> str:
    """Name a category; one that no table has is named by its code."""
    known = SCHEMES.get(scheme)
    return known.kinds.get(category, category) if known else category


def translate(scheme: str, category: str, other: str) -> tuple[str, ...]:
    """Give what a category of one scheme may be in another, as codes of that; nothing for a category or scheme that is not known."""
    if scheme == other:
        return (category,) if scheme in SCHEMES and category in SCHEMES[scheme].kinds else ()
    found: dict[str, None] = {}
    for home in _home(scheme, category):
        found |= dict.fromkeys((home,) if other == codes.CATEGORY_SCHEME else _FROM_HOME.get(other, {}).get(home, ()))
    return tuple(found)


def _home(scheme: str, category: str) -> tuple[str, ...]:
    if scheme == codes.CATEGORY_SCHEME:
        return (category,) if category in codes.CATEGORIES else ()
    return tuple(home for home, others in _FROM_HOME.get(scheme, {}).items() if category in others)
