"""
Witnesses by the clock: the newest checkpoint is shown to those who have not cosigned it yet.

Asking takes seconds and is done before the writer's place is taken. A witness that does not answer is no failure as long as the others are enough;
the job fails when the quorum of the policy is missing.
"""

from datetime import date

from ledger import cosignatures
from ledger.checkpoints import checkpoint_size, newest_checkpoint
from ledger.errors import Unavailable
from ledger.store import Ledger
from ledger.transactions import WriteTransaction


def ask(ledger: Ledger) -> int:
    """Ask the witnesses. Returns how many cosigned."""
    return cosignatures.gather(ledger)


def count(ledger: Ledger, tx: WriteTransaction, _business_date: date) -> int:
    """Make sure that the newest checkpoint has its quorum. Raises Unavailable if not. It makes nothing: 0."""
    policy, note = cosignatures.configured_policy(ledger.settings), newest_checkpoint(tx.connection)
    if policy and note and not policy.is_satisfied(cosignatures.cosigners(tx.connection, checkpoint_size(note))):
        raise Unavailable("最新检查点的见证人联署还不够，各见证人的情况请看 shouwang witnesses")
    return 0
