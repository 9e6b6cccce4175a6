"""What notebook 10 says of its own runs and of the shipped network."""

from statistics import mean

assert evaluate(model, only(test, KNOWN))[1] > 0.85, "it has learned the seven"
at = [mean(shares) for shares in by_cut]
assert best_cut in (3, 4), "behind the third or fourth block"
assert at[best_cut] > at[0] + 0.01 and at[best_cut] > at[5] + 0.005, "the line climbs, and falls again at the end"
assert at[0] > 0.85, "pixels do better than you may have thought"
reached = {name: {n: mean(shares) for n, shares in way.items()} for name, way in results.items()}
for labels in (5, 20):
    frozen = max(reached["probe"][labels], reached["fine-tuning"][labels])
    assert frozen > reached["pixels"][labels] > 0.8, "frozen features lead"
assert reached["from scratch"][5] < min(way[5] for way in reached.values() if way is not reached["from scratch"]) - 0.03
assert reached["from scratch"][1] < reached["pixels"][1], "a linear layer on the pixels beats it"
assert interval(results["probe"][1]).half > 3 * interval(results["probe"][20]).half, "one picture each: luck decides"
apart = {n: max(way[n] for way in reached.values()) - min(way[n] for way in reached.values()) for n in STEPS}
assert apart[100] < 0.05 < apart[5], "the ways draw together"
by_hand = [(gallery.labels[nearest(cut)] == queries.labels[:, None]).float().mean() for cut in range(6)]
assert by_hand == sorted(by_hand), "block by block"
own = []
for cut in range(6):
    distances = torch.cdist(final.maps[cut].flatten(1), shelf_cached.maps[cut].flatten(1))
    same = shelf.labels[distances.topk(5, largest=False).indices] == final.labels[:, None]
    own.append(same.float().mean())
assert max(own[3:5]) > own[5] and by_hand[5] >= by_hand[4], "the last block helps those who have learned these names"
