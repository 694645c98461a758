"""Films: read, colored with keyframes and optical flow, and written with everything in their container.

The public functions are in `film`.
"""
