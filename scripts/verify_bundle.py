"""核验守望账本发出的文件。只需要 Python 3.11 以上和 cryptography 包，不需要数据库，也不需要相信账本的运行者。"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ledger import merkle
from ledger.checking import bundles, certificates, credentials, offline, sampling
from ledger.checking.faults import Report
from ledger.checking.trusting import Trust, trust_keys, trust_policy
from ledger.errors import InvalidRequest, LedgerError
from ledger.keyring import KIND
from ledger.notes import Checkpoint, note_parts
from ledger.signing import NoteError, decode64

_SHOWN_MAX = 200
_EXAMPLES = """\
例：
  verify_bundle record 我的时长.json --vkey vkey
  verify_bundle certificate 志愿服务记录证明-340104-2026-000001.pdf --vkey vkey
  verify_bundle certificate --qr "https://…/check/K7M2Q9XP4R5T#…" --vkey vkey --log 导出的账本/
  verify_bundle log 导出的账本/ --vkey vkey --against 去年存的检查点
  verify_bundle consistency 去年的检查点 今年的检查点 证明文件 --vkey vkey
  verify_bundle sample 检查点 --vkey vkey --nonce 2026-03-05-福彩-0317 --count 50
公钥（vkey）或信任名单要从账本之外的可靠渠道得到，例如报纸、公示栏、见证单位。退出码：0 通过，1 有不符，2 用法或文件不对。"""


def record(given: argparse.Namespace) -> Report:
    """Judge a record bundle."""
    trust, bundle = _trust(given), bundles.decode_bundle(given.bundle.read_bytes())
    report = bundles.verify_bundle(bundle, trust)
    chain = f"，是 {bundle.subject} 从头起不缺的一条链" if bundle.subject else ""
    given.said = f"{len(bundle.records)} 条记录都在签名的账本里（共 {report.size} 条）{chain}"
    return report


def log(given: argparse.Namespace) -> Report:
    """Judge an exported log."""
    against = given.against.read_bytes() if given.against else None
    report = offline.verify_folder(given.folder, _trust(given), against=against, progress=_progress(given))
    extends = "，是所给旧检查点的延续" if given.against else ""
    given.said = f"{report.size} 条，树根 {report.root.hex()}{extends}"
    return report


def consistency(given: argparse.Namespace) -> Report:
    """Judge that a newer checkpoint extends an older one. The proof: base64 hashes, one a line."""
    trust, report = _trust(given), Report()
    opened = []
    for what in ("old", "new"):
        try:
            opened.append(trust.open_checkpoint(getattr(given, what).read_bytes()))
        except NoteError as error:
            report.add(None, what, "账本自己签名的检查点", error)
    if len(opened) < 2:
        return report
    old, new = opened
    report.compare(None, "origin", old.origin, new.origin)
    report.size, report.root = new.size, new.root
    try:
        proof = [decode64(line, "证明里的哈希") for line in given.proof.read_text("ascii").split()]
        merkle.verify_consistency(proof, old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root)
    except (LedgerError, UnicodeDecodeError) as error:
        report.add(None, "proof", f"{new.size} 条的账本由 {old.size} 条的续写而成", error)
    given.said = f"{new.size} 条的账本是由 {old.size} 条的账本续写而成"
    return report


def sample(given: argparse.Namespace) -> Report:
    """Draw the sample that a signed checkpoint and a nonce call for."""
    checkpoint = _trust(given).open_checkpoint(given.checkpoint.read_bytes())
    nonce = sampling.parse_nonce(given.nonce)
    population = offline.indexes_of_kind(given.log, checkpoint, given.kind) if given.kind else None
    given.sample = sampling.sample(checkpoint.root, checkpoint.size, nonce, given.count, population)
    given.said = "抽到的记录序号：" + " ".join(map(str, given.sample))
    return Report(checkpoint.size, checkpoint.root)


def certificate(given: argparse.Namespace) -> Report:
    """Judge a certificate: its PDF or data file, or the code on the paper; and whether it stands, where an exported log is given."""
    if (given.file is None) == (given.qr is None):
        raise InvalidRequest("请给出证明的 PDF 或数据文件，或者用 --qr 给出二维码的内容，二者选一")
    if given.status is not None and given.file is None:
        raise InvalidRequest("--status 要和可验证凭证的文件一起给")
    trust, report = _trust(given), Report()
    whole = offline.verify_folder(given.log, trust) if given.log is not None else None
    records: list[int] = []
    if given.file is not None:
        judged = credentials.judge_file(given.file.read_bytes(), trust, _rotations(given, whole))
        report = judged.report
        slip = certificates.parse_slip(certificates.slip_text(judged.document))
        records = certificates.records_of(judged.document)
        if given.status is not None:
            if judged.credential is None:
                raise InvalidRequest("--status 只用于可验证凭证（.vc.json、.vc.jwt）：PDF 和数据文件请用 --log，或联网核验")
            report.take(credentials.verify_status(judged.credential, given.status.read_bytes()))
    else:
        note = certificates.read_slip(given.qr)
        slip = certificates.parse_slip(note_parts(note)[0])
        try:
            certificates.verify_slip(note, trust)
        except LedgerError as error:
            report.add(None, "slip", "账本自己签名的摘要", error)
    given.slip = slip
    where = f"在签名的账本里（共 {report.size} 条）" if report.size else "由账本的钥匙签名" if given.file else "二维码由账本签名"
    standing = "。签发以后有没有更正、撤销，要联网核验，或用 --log 给出较新的账本"
    if given.status is not None:
        standing = "。状态列表里没有撤销；有没有更正，要联网核验，或用 --log 给出较新的账本"
    if whole is not None:
        standing = _standing(given, whole, records, report)
    given.said = f"证明 {slip.number} 是真的，{where}：{_in_words(slip)}。请和纸上的逐项对照{standing}"
    return report


def _rotations(given: argparse.Namespace, whole: Report | None) -> list[tuple[int, dict[str, Any]]]:
    """List the log's changes of key from an exported log that holds; none without one."""
    if whole is None or not whole.ok:
        return []
    found = offline.entries_of_kinds(given.log, Checkpoint("", whole.size, whole.root), (KIND,))
    return [(said.index, said.body) for said in found]


def _standing(given: argparse.Namespace, whole: Report, records: list[int], report: Report) -> str:
    """Look a certificate up in an exported log, as far as that one holds."""
    report.take(whole)
    if not whole.ok:
        return ""
    later = offline.entries_of_kinds(given.log, Checkpoint("", whole.size, whole.root), certificates.LOOKED_FOR)
    changed = certificates.compare_with_log(given.slip, records, later, report)
    so_far = f"。到账本第 {whole.size} 条为止没有撤销"
    return f"{so_far}，但签发后动过第 {'、'.join(map(str, changed))} 条" if changed else f"{so_far}，也没有更正"


def _in_words(slip: certificates.Slip) -> str:
    hours, minutes = divmod(slip.minutes, 60)
    period = f"{slip.period_from or '最初'} 至 {slip.period_to or '签发日'}"
    return f"{slip.name}，志愿者编号 {slip.volunteer}，{hours} 小时 {minutes} 分（{period}），{slip.issued_on} 签发"


def _trust(given: argparse.Namespace) -> Trust:
    return trust_keys(given.vkey) if given.vkey else trust_policy(given.policy)


def _progress(given: argparse.Namespace) -> Callable[[int, int], None] | None:
    if given.json or not sys.stderr.isatty():
        return None
    return lambda done, total: print(f"\r{done} / {total}", end="" if done < total else "\n", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("verify_bundle", description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="record | certificate | log | consistency | sample")

    def verb(name: str, judge: Callable[[argparse.Namespace], Report], said: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=said, description=said)
        whom = made.add_mutually_exclusive_group(required=True)
        whom.add_argument("--vkey", type=Path, metavar="文件", help="账本的公钥文件，每行一把，信其中任何一把")
        whom.add_argument("--policy", type=Path, metavar="文件", help="信任名单（C2SP tlog-policy），要求的见证人联署也要够")
        made.add_argument("--json", action="store_true", help="以 JSON 输出，供程序读取")
        made.set_defaults(judge=judge)
        return made

    verb("record", record, "核验记录凭证：每一条都在签名的账本里，一个字也没有改过").add_argument("bundle", type=Path, metavar="凭证文件")
    whole = verb("log", log, "核验导出的整个账本：重算每一条、每一片、每一条链")
    whole.add_argument("folder", type=Path, metavar="文件夹")
    whole.add_argument("--against", type=Path, metavar="文件", help="从前另存的检查点：账本必须是它的延续")
    paper = verb("certificate", certificate, "核验志愿服务记录证明：PDF、数据文件、可验证凭证，或纸上二维码的内容")
    paper.add_argument("file", type=Path, nargs="?", metavar="证明文件", help="PDF，随它保存的 .json，或可验证凭证（.vc.json、.vc.jwt）")
    paper.add_argument("--status", type=Path, metavar="文件", help="可验证凭证的状态列表（凭证里 statusListCredential 的网址）：有没有撤销")
    paper.add_argument("--qr", metavar="文字", help="扫二维码得到的整个网址，# 后面的都要")
    paper.add_argument("--log", type=Path, metavar="文件夹", help="导出的账本：看到它为止有没有更正、撤销")
    two = verb("consistency", consistency, "核验新的检查点是旧检查点的延续")
    for name, said in (("old", "旧检查点"), ("new", "新检查点"), ("proof", "证明文件")):
        two.add_argument(name, type=Path, metavar=said)
    drawn = verb("sample", sample, "由检查点和事后的随机数抽样，任何人重抽结果都一样")
    drawn.add_argument("checkpoint", type=Path, metavar="检查点")
    drawn.add_argument("--nonce", required=True, metavar="文字", help="事后才知道的随机数：照写的文字，或 hex: 加十六进制")
    drawn.add_argument("--count", required=True, type=int, metavar="N", help="抽几条")
    drawn.add_argument("--kind", metavar="种类", help="只在这一种记录里抽，例如 service.recorded；要同时给出 --log")
    drawn.add_argument("--log", type=Path, metavar="文件夹", help="导出的账本")
    return parser


def _show(report: Report, given: argparse.Namespace) -> None:
    if given.json:
        extra = {"sample": given.sample} if "sample" in given else {"certificate": vars(given.slip)} if "slip" in given else {}
        print(json.dumps(report.as_json() | extra, ensure_ascii=False))
    elif report.ok:
        print(f"通过：{given.said}")
    else:
        print(f"发现 {report.fault_count} 处不符：")
        for fault in report.faults[:_SHOWN_MAX]:
            where = f"第 {fault.index} 条 " if fault.index is not None else ""
            print(f"  {where}{fault.what}：应为 {fault.expected}，实为 {fault.found}")
        if report.fault_count > _SHOWN_MAX:
            print(f"  …… 其余 {report.fault_count - _SHOWN_MAX} 处请加 --json 查看")


def main() -> None:
    """Judge what is named on the command line and exit with 0, 1 or 2."""
    given = _parser().parse_args()
    try:
        if getattr(given, "kind", None) and not given.log:
            raise InvalidRequest("用 --kind 时要用 --log 给出导出的账本")
        report = given.judge(given)
    except LedgerError as error:
        print(f"出错了：{error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"出错了：文件 {error.filename} 读不出来：{error.strerror}", file=sys.stderr)
        sys.exit(2)
    _show(report, given)
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
