"""Makes the SQLite database of the transcript in README.md: python examples/shop.py shop.db."""

import sqlite3
import sys
from contextlib import closing

ORDERS = [
    (1, "Ann", "19.90", "2024-05-01 10:00:00"),
    (2, "Bo", None, "2024-05-02 11:30:00"),
    (3, "Çelik", "1250.00", "2024-05-02 12:00:00"),
]

with closing(sqlite3.connect(sys.argv[1])) as shop, shop:
    shop.execute(
        "CREATE TABLE orders "
        "(id INTEGER PRIMARY KEY, customer TEXT, total DECIMAL(12,2), changed TIMESTAMP)"
    )
    shop.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)
