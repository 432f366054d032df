"""
Help: for each page one sentence that says what it is for, and the few steps by which it is used.

The steps stand folded under the page itself (base.html) and on the help page with all the others. Pages that fold in steps of their own have only the
sentence here. An endpoint without an entry has no help; a test says which pages must have one.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Help:
    """What a page is for, and how it is used."""

    title: str
    sentence: str
    steps: tuple[str, ...] = ()


VOLUNTEERS: dict[str, Help] = {
    "credit.mine": Help(
        "我的服务",
        "看一共服务了多久，每一次是怎么记的。",
        (
            "最上面的大数字是已经生效的时长，等于下面「已生效」的各次加起来。",
            "「公示中」的到期自动计入；「待审核」的等站点另一位工作人员看过。",
            "觉得哪一条不对，点那一条的「这条不对」，选一个原因交上去；有了结果，「通知」里会告诉您。",
            "要纸的，点「打印时长单」，再用浏览器的打印。",
        ),
    ),
    "notices.inbox": Help(
        "通知",
        "登记、审核、更正、异议的结果都放在这里。",
        (
            "页面最上面「通知」旁边有数字，就是有没看过的。",
            "点「去看看」打开那一条。",
            "想发到手机上的，在最下面选短信或微信，再点「保存」。",
        ),
    ),
    "registration.mine": Help(
        "登记信息",
        "看谁、什么时候给您办的登记，并确认或否认。",
        (
            "是您自己要登记的，点「我同意」。",
            "不是您办的，点「不是我登记的」，时长先冻结，由上级核查。",
            "换了手机号、搬了家，也在这里提。",
        ),
    ),
    "my_data.everything": Help(
        "我的资料",
        "关于您的一切：留了什么信息、谁看过。",
        ("「谁看过我的信息」里有每一次查看的时间和理由。", "「存成文件」可以把全部资料带走。", "不想留了，点「注销我的资料」，分两步办。"),
    ),
    "security.page": Help(
        "我的账号",
        "改密码、看在哪些地方登录着。",
        ("密码要自己记得住，别人猜不到。", "不认得的登录，点「退出」把它退掉。", "手机丢了，先在这里退出所有登录，再到站点重办登录码。"),
    ),
    "receipts.form": Help(
        "核对回执",
        "把纸上的账本号和短码填进来，看账本里是不是还有一模一样的那一条。",
        ("不用登录。", "对不上时先看有没有抄错；没有抄错，请收好纸，马上找审计员。"),
    ),
    "publicity.listing": Help("公示", "看各站点正在公示的服务记录，姓名隐去一部分。", ("认为哪一条不对，带上条号到站点说。",)),
}
STAFF: dict[str, Help] = {
    "home.work": Help(
        "首页",
        "今天要办的事都在这里。",
        ("「待我处理」里的数字点进去就能办。", "三率后面写着离目标还差多少人。", "要登记一次活动，点右上角的大按钮。"),
    ),
    "logging.start": Help("登记一次活动", "照着签到表，不用鼠标也能把六十个人登记完。"),
    "sheets.form": Help(
        "上传表格",
        "上传一张表，先核对，确认后才会登记。",
        (
            "选好是哪一种表，再选文件；一次可以选多个。没有现成的表，先下载模板。",
            "上传后先看核对结果：能登记的有几行，有问题的是哪几行、为什么。",
            "下载标好问题的表，改好后再上传一次；登记过的行不会重复登记。",
            "点确认以后才会写进账本，并给出回执。",
        ),
    ),
    "activities.listing": Help("活动", "安排活动、发布、签到、结束。"),
    "batches.listing": Help(
        "批次",
        "一次交上来的是一批，这里看每一批办到哪一步。",
        ("点活动名字打开这一批，看每一条的状态。", "一条错了，点开那一条更正或作废；整批错了，按页面上的办法整批撤销。"),
    ),
    "approvals.listing": Help("审核", "核对别人登记的记录；自己登记的要别人审。"),
    "objections.listing": Help("异议", "志愿者说不对的记录，在期限前查清、答复。"),
    "volunteers.search": Help(
        "志愿者",
        "按编号、身份证号或手机号找一位志愿者。",
        (
            "找到后能看时长、打印时长单、给本人一次性登录码。",
            "本人坐在旁边又没有手机的，点「本人在旁边，一起看」，由本人输入登录码。",
            "要看证件号、电话全文，得先选理由，本人看得到。",
        ),
    ),
    "registering.form": Help(
        "登记新志愿者",
        "当面给一个人办登记。",
        ("照身份证填，登记前会核对号码。", "未成年人要有监护人签字的同意书。", "登记后给本人登录码，由本人确认。"),
    ),
    "proposals.listing": Help("志愿者待办", "别人提出、要您这第二个人办的事。", ("先看清是什么事、谁提的。", "办不了的，写明理由退回。")),
    "parked.listing": Help(
        "待登记", "签到表上还不是志愿者的人，先放在这里。", ("本人登记成志愿者后，点「计入」。", "不想登记的，不会计入，到期自动清除。")
    ),
    "stations.listing": Help(
        "看板", "各站点的注册率、参与率、骨干率和目标。", ("点站点名字往下看。", "每个数都写着分子、分母、来源和截止日。")
    ),
}
OFFICE: dict[str, Help] = {
    "accounts.listing": Help(
        "账号",
        "给工作人员开账号、给角色、停用。",
        ("新账号的一次性登录码只显示一次，当面交给本人。", "审核员以上的角色，要另一位管理员确认。", "人走了就停用，不要换人用。"),
    ),
    "rights.listing": Help(
        "权限变动", "谁在什么时候得到或失去了什么角色。", ("要第二个人确认的排在最上面。", "每一次变动都是账本里的一条。")
    ),
    "webhooks.listing": Help(
        "推送", "把新入账的条目告诉别的系统。", ("登记一个 https 地址，记下只显示一次的密钥。", "对方没收到的会自动再发。")
    ),
    "reveals.listing": Help("查看留痕", "谁看过多少人的证件号和电话。", ("一天看得特别多的会标出来，请问清缘由。",)),
    "log.page": Help("账本公示", "账本现在的样子，谁都可以核对。", ("抄下树根，以后对得上，就说明没人改过以前的账。",)),
}
GROUPS = {"志愿者": VOLUNTEERS, "站点工作人员、审核员、区级管理员": STAFF, "管理员、审计员和公众": OFFICE}
HELP = {**VOLUNTEERS, **STAFF, **OFFICE}
