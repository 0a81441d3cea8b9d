"""Tables, texts and the page over all settings.

Here the stage; the rooms below hold the trail, the material, the tables, the page and the files.
"""
