"""Largest differences between this project's numbers and the reference values, as a table.

    PYTHONPATH=workflow:tests python benchmarks/agreement.py

prints the table in docs/methods.md: every pair of numbers that tests/reference compares, with its
bound. Differences are relative if the reference is above 1e-8 and absolute below; for the shortest
posterior intervals they are in widths of the interval.
"""

from reference.bounds import table


def main() -> None:
    print("| quantity | reference | sets | numbers | largest difference | where | bound |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in table():
        where = row.where.replace("|", " ")
        print(
            f"| {row.quantity} | {row.reference} | {row.datasets} | {row.numbers} "
            f"| {row.difference:.0e} | {where} | {row.bound:g} |"
        )


if __name__ == "__main__":
    main()
