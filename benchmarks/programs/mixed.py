"""The tables that peers analyse, made alike in every environment: numpy and pandas alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

SEED = 7
NAMES = [f"{first} {last}" for first in ("Ada", "Bo", "Cy", "Di", "Eli") for last in ("Ash", "Oak")]


def titanic(rows: int) -> pd.DataFrame:
    """Return a table of 12 columns as the list of the Titanic's passengers has them."""
    random = np.random.default_rng(SEED)
    sexes = random.choice(["male", "female"], rows, p=[0.65, 0.35])
    numbers = np.arange(1, rows + 1)
    age = np.where(random.random(rows) < 0.2, np.nan, random.normal(30, 14, rows).clip(0.4, 80))
    cabins = np.char.add(
        random.choice(list("ABCDEF"), rows), random.integers(1, 150, rows).astype(str)
    )
    lines = np.char.add(
        random.choice(["PC ", "A/5 ", ""], rows), random.integers(10_000, 400_000, rows).astype(str)
    )
    return pd.DataFrame(
        {
            "PassengerId": numbers,
            "Survived": random.integers(0, 2, rows),
            "Pclass": random.choice([1, 2, 3], rows, p=[0.24, 0.21, 0.55]),
            "Name": [f"{NAMES[n % 10]} {n // 3}" for n in numbers],
            "Sex": sexes,
            "Age": age.round(1),
            "SibSp": random.poisson(0.5, rows),
            "Parch": random.poisson(0.4, rows),
            "Ticket": lines,
            "Fare": random.lognormal(3, 1, rows).round(4),
            "Cabin": pd.Series(cabins, dtype=object).where(random.random(rows) < 0.23),
            "Embarked": pd.Series(random.choice(list("SCQ"), rows), dtype=object).where(
                random.random(rows) < 0.998
            ),
        }
    )


def wide(rows: int) -> pd.DataFrame:
    """Return a table of 20 columns: numbers, words, dates, codes, texts and gaps."""
    random = np.random.default_rng(SEED)
    days = np.datetime64("2020-01-01") + random.integers(0, 1_500, rows).astype("timedelta64[D]")
    made: dict[str, object] = {"id": np.arange(rows)}
    for number in range(5):
        made[f"real_{number}"] = random.normal(100 * number, 10, rows).round(3)
    for number in range(4):
        made[f"whole_{number}"] = random.integers(0, 10 ** (number + 1), rows)
    for number in range(4):
        words = np.array([f"word {letter}{number}" for letter in "abcdefghijkl"])
        made[f"category_{number}"] = random.choice(words[: 3 + 3 * number], rows)
    made["flag"] = random.choice(["yes", "no"], rows)
    made["date"] = days.astype(str)
    made["email"] = [f"user{n}@host{n % 50}.org" for n in random.integers(0, rows, rows)]
    made["decimal_comma"] = [f"{value:.2f}".replace(".", ",") for value in random.random(rows) * 99]
    made["city"] = random.choice([f"Town {n}" for n in range(400)], rows)
    made["text"] = [
        f"order {n} was sent late and then came back" for n in random.integers(0, rows, rows)
    ]
    frame = pd.DataFrame(made)
    frame["gaps"] = pd.Series(random.normal(0, 1, rows)).where(random.random(rows) < 0.4)
    del frame["id"]
    return frame


TABLES = {"titanic": titanic, "wide": wide}
