"""Pictures of a whole field: map, flow, lights, league, graph, summary.

Pages in millimetres; the tables behind them are made by network and report.
"""
