"""What config/ says, read and checked; its faults in words.

Who lives here: one module of models a file of config/ (`methods` for config.yaml, `configuration`
for analyses.yaml and both together, `networks`, `reports`, `looks` for styles.yaml, `labels`), the
words that they are written in (`forms`), and what reads a file and tells what is wrong (`reading`,
`yaml_files`). Who does not: anything that reads the sheet; what config/ names and the sheet does
not hold is told by those who have read it.

A new setting is a field of a model: its annotation says how it has to look, its docstring what it
means, and `faults` what it has to fit. Then: make workflow/schemas/config.schema.json
"""
