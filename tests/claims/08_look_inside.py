"""What notebook 08 says of the shipped networks and of its own cheat."""

from vgg_lesson import predict

assert (cosines > 0.9).sum() > 0.75 * len(cosines), "most filters kept their pattern"
assert ((sizes - 1).abs() > 0.05).float().mean() > 0.5, "and changed in size"
assert followed > 0.5, "most pictures are named after the dot"
plain = answers[:, :4, 4:-4].mean(dim=(1, 2))
inside = answers[:, 19:22, 10:22].mean(dim=(1, 2))
assert (plain > 2 * inside).sum() >= 3 and (inside > 2 * plain).sum() >= 3, "holes and copies"
assert names[:50].bincount(minlength=10).argmax() == CLASSES.index("Coat")
assert names[100:200].bincount(minlength=10).argmax() == CLASSES.index("Sneaker")
assert share < 0.4, "it is lost"
assert card["test_accuracy"] > trained_card("vgg11-class")["test_accuracy"], "trained at that size it is not"
assert reached["right dot"] > 0.99 and reached["no dot"] < 0.5 and reached["wrong dot"] < 0.3
hottest = [divmod(int(fall.argmax()), fall.shape[1]) for fall in falls]
assert all(row <= 4 and column <= 7 for row, column in hottest), "the dot and nothing else"
assert all((fall > 0.5 * fall.max()).float().mean() < 0.1 for fall in falls), "piece by piece, and nothing happens"
for name, (hot, drawn) in kept_answers.items():
    apart = ((hot & ~drawn).sum() - (~hot & drawn).sum()).item()
    assert abs(apart) > 2 * (hot ^ drawn).sum().sqrt(), "beyond what a coin would do"
    assert (apart < 0) == (name == "96-pixel network,\nconv5_2"), "only one map does better than chance"
assert shares[:9].min() > 0.05 and shares[9] < 0.03, "nine directions are wide, then the widths drop"
dress, boots = CLASSES.index("Dress"), CLASSES.index("Ankle boot")
said_of = predict(model, thousand).predicted
assert not ((thousand.labels == dress) & (said_of == boots)).any(), "never takes one for the other"
assert not ((thousand.labels == boots) & (said_of == dress)).any()
middles = torch.stack([(centred @ directions[:9].T)[thousand.labels == k].mean(dim=0) for k in (dress, boots)])
apart = (middles[0] - middles[1]).abs()
assert apart[2:].norm() > 3 * apart[:2].norm(), "dresses and boots part in those that are not drawn"
