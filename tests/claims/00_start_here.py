"""What notebook 00 says of its own run."""

assert history.mean_loss(1, 50) > 2 * history.mean_loss(851, 900), "the curve falls steeply"
assert accuracy > 7 * blind, "many times further right than chance"
assert abs(accuracy - people) < 0.06, "close to that of people"
