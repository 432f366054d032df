"""Where a certificate stands in the status list of its Verifiable Credential: drawn at random, for those issued before as well."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

_BITS = 131_072


def upgrade() -> None:
    status = op.create_table(
        "certificate_status",
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("list", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", name=op.f("pk_certificate_status")),
    )
    op.create_index("uq_certificate_status_list_place", "certificate_status", ["list", "place"], unique=True)
    issued = op.get_bind().execute(sa.text("SELECT number FROM certificate ORDER BY entry_index")).scalars().all()
    half = _BITS // 2
    for first in range(0, len(issued), half):
        drawn = secrets.SystemRandom().sample(range(_BITS), min(half, len(issued) - first))
        rows = [
            {"certificate": number, "list": first // half + 1, "place": place}
            for number, place in zip(issued[first : first + half], drawn, strict=True)
        ]
        op.bulk_insert(status, rows)


def downgrade() -> None:
    op.drop_table("certificate_status")
