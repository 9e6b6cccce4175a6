"""What notebook 10 says of its own runs and of the shipped network."""

from statistics import mean

assert reached > 0.85, "it has learned the seven"
assert evaluate(student, seven)[1] < reached - 0.1, "as long as nothing is frozen, it forgets"
assert evaluate(twin, seven)[1] < reached, "statistics alone cost something"
at = [mean(shares) for shares in by_cut]
assert best_cut in (1, 2, 3, 4), "behind a block in between"
for end in (0, 5):
    gaps = [a - b for a, b in zip(by_cut[best_cut], by_cut[end], strict=True)]
    assert not interval(gaps).holds_zero, "told apart from pixels and from the last block"
assert at[0] > 0.85, "pixels do better than you may have thought"
means = {name: {n: mean(shares) for n, shares in way.items()} for name, way in results.items()}
frozen = max(means["probe"][5], means["fine-tuning"][5])
assert frozen > max(means["pixels"][5], means["from scratch"][5]), "frozen features lead"
assert means["from scratch"][5] == min(way[5] for way in means.values()), "which comes last?"
assert interval(results["probe"][1]).half > 3 * interval(results["probe"][20]).half, "one image each: wide intervals"
apart = {n: max(way[n] for way in means.values()) - min(way[n] for way in means.values()) for n in LABELS}
assert apart[100] < 0.05 < apart[5], "the ways draw together"
by_hand = []
for cut in range(6):
    by_hand.append((gallery.labels[nearest(near, far, cut)] == queries.labels[:, None]).float().mean())
assert by_hand == sorted(by_hand), "block by block"
own = []
for cut in range(6):
    own.append((shelf.labels[nearest(final, shelf_cached, cut)] == final.labels[:, None]).float().mean())
assert max(own[3:5]) > own[5] and by_hand[5] >= by_hand[4], "the last block helps those who have learned these names"
