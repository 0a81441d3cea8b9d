"""Overviews of a field: evidence map, flow, risk of bias, league table, network graph, summary.

Pages in millimetres; the tables behind them are made by network and report.
"""
