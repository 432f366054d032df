"""复算公布过的三率：只凭导出的账本，不需要原来的数据库，也不需要任何人的资料。"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ledger.errors import LedgerError
from ledger.recounts import recount

_NAMES = {
    "population": "常住人口",
    "registered": "注册志愿者",
    "confirmed": "本人确认",
    "participants": "参加过服务",
    "backbone": "骨干",
    "minutes": "服务分钟数",
    "tree_size": "统计时账本的条数",
}
_EXAMPLES = """\
例：
  recount_rates 导出的账本/
  recount_rates 导出的账本/ --year 2025 --json
导出的账本由 shouwang export-log 得到，或按 /log/ 下的文件一个个下载；它是不是签过名的那一本，用 verify_bundle log 核验。
退出码：0 与公布的一致，1 有不符，2 用法或文件不对。"""


def main() -> int:
    """Recount, say what came out, and give the exit code."""
    parser = argparse.ArgumentParser(
        "recount_rates", description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="导出的账本")
    parser.add_argument("--year", type=int, help="只复算这一年的")
    parser.add_argument("--json", action="store_true", help="给程序读的结果")
    given = parser.parse_args()
    try:
        found = recount(given.folder, year=given.year)
    except LedgerError as refusal:
        print(f"错误：{refusal}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(asdict(found) | {"ok": found.ok}, ensure_ascii=False))
        return 0 if found.ok else 1
    for one in found.differences:
        counted = "没有这个单位" if one.counted is None else one.counted
        print(f"第 {one.index} 条（{one.station}）：{_NAMES[one.what]} 公布 {one.said}，复算 {counted}")
    verdict = "一致" if found.ok else f"不一致：{len(found.differences)} 处"
    print(f"账本 {found.size} 条，公布过 {found.published} 次，按 {found.sizes} 个时点复算：{verdict}")
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
