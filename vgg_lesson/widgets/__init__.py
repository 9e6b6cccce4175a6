"""Views to play with: each a thin control over a plain function of `vgg_lesson.figures`, shown by a notebook cell.

Importing this needs no ipywidgets; without it a view is one sentence of text.
"""
