"""For other programs: R, RevMan, CINeMA, JSON; and from elsewhere, to be confirmed."""
