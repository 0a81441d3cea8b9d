"""Pictures of a whole field: map, flow, lights, league, graph, summary."""
