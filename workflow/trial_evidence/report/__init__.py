"""Tables, texts and the page for all settings together.

This folder has the stage; its subfolders have the words, the trail, the material, the tables, the
page and the files.
"""
