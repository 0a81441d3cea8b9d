"""Numbers and their printed form, the same in the figures and the page's scripts."""

# p value -> text, near the values where the rule changes.
PRINTED_P = {
    0.0: "p < 0.001",
    0.00099999: "p < 0.001",
    0.001: "p = 0.001",
    0.00149: "p = 0.001",
    0.0015: "p = 0.002",
    0.0094: "p = 0.009",
    0.0099: "p = 0.010",
    0.00999: "p = 0.010",
    0.01: "p = 0.01",
    0.0149: "p = 0.01",
    0.015: "p = 0.02",
    0.0449: "p = 0.04",
    0.045: "p = 0.045",
    0.049: "p = 0.049",
    0.0494: "p = 0.049",
    0.0495: "p = 0.0495",
    0.0496: "p = 0.0496",
    0.05: "p = 0.050",
    0.0504: "p = 0.0504",
    0.0505: "p = 0.051",
    0.051: "p = 0.051",
    0.0549: "p = 0.055",
    0.055: "p = 0.06",
    0.065: "p = 0.07",
    0.5: "p = 0.50",
    0.99: "p = 0.99",
    0.9901: "p > 0.99",
    1.0: "p > 0.99",
}
# Limits -> interval.
PRINTED_INTERVALS = {
    (0.255, 1.005): "0.26–1.01",
    (2.675, 30.62): "2.68–30.62",
    (-0.05, 0.125): "−0.05 to 0.13",
    # A ratio is never zero, and a difference that is none lies on one side of it.
    (0.0046, 0.08): "0.005–0.08",
    (0.0003, 0.0049): "0.0003–0.005",
    (-0.001, 0.2): "−0.001 to 0.20",
    (1e-7, 123.4): "< 0.0001 to 123.40",
    (-2e-5, 0.3): "> −0.0001 to 0.30",
    (10000.0, 10000.1): "10000.00 to > 10000",
    (-2e5, 1e300): "< −10000 to > 10000",
    (0.0, 1.0): "0.00–1.00",
    (-4e-17, 0.1): "0.00–0.10",
}


def as_printed(value: float, digits: int = 2) -> str:
    """A number from zero on; one that would be printed as zero gets up to two decimals more."""
    for more in range(3):
        text = f"{value:.{digits + more}f}"
        if float(text) or not value:
            return text
    return f"< {10 ** -(digits + 2):.{digits + 2}f}"
