"""Pictures of runs: pure functions from views to SVG, and the player that shows a trace step by step.

Nothing here knows the simulator. A chapter folds its trace into the views of `views.py`; a function such as
`log_lane.log_lane` draws one view; `player.player` plays the pictures of many; `figure.Figure` shows one.

Left out: live widgets, and charts.
"""
