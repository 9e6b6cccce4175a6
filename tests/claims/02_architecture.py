"""Torchvision's VGG-11 and ours were compared without a second copy of the weights in memory."""

import resource
import sys

weights = 4 * trace("VGG-11").total_params
unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
without_networks = 1.05e9  # Python with torch, torchvision and matplotlib, generously
assert peak < without_networks + 1.5 * weights, f"peak {peak / 1e9:.2f} GB"

constant, _, fourfold = rules.values()
assert constant[0] > 0.5 * sum(constant) and fourfold[-1] > 0.5 * sum(fourfold)  # "most of the work"
assert trace("VGG-13").row("conv5_2").macs * 4 == trace("VGG-13").row("conv4_2").macs  # "block 5 costs a quarter"
assert round(512 * 7 * 7 / 4096) == 6  # "six times as tall"
assert accuracy > 0.3, "far more than one in ten is named correctly"
