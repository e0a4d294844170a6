"""Where every table of the gateway is declared, so that they are created, sorted and compared as one."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()
