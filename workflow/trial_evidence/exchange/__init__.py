"""Files for other programs (R, RevMan, CINeMA, JSON), and imports that a reader has to confirm."""
