# What the text says in words, where no marked number stands.
assert by_python == {row.name: row.params for row in post.rows if row.params}
assert 0.75 < post.row("fc6").params / post.total_params < 0.85  # "four fifths"
assert trace("VGG-19").conv_params > 2 * paper.conv_params  # "more than double"
assert 0.5e-5 < (134_301_514 - 134_300_362) / 134_301_514 < 1.5e-5  # "one part in a hundred thousand"
assert round(bill.activations / bill.weights) == 9
assert 0.3 < 8 * pooled / (4 * post.total_activations) < 0.36  # "add a third"
assert 15.9 < post.conv_params / quarter.conv_params < 16
assert 3.9 < post.row("fc6").params / quarter.row("fc6").params < 4.1
assert quarter.row("fc7").params == post.row("fc7").params
assert all(memory(t, 128, optimizer="sgd").total > 1.3e9 for t in (post, quarter))
assert bill.total * 4 / 3 < 8e9 < memory(trace("VGG-16"), 128, optimizer="momentum").total
assert memory(trace("VGG-16"), 64, optimizer="momentum").total < 6e9
assert all(  # "leaves a quarter of the positions"
    4 * half.row(row.name).macs == row.macs for row in post.rows if row.kind == "conv"
)
assert 0.32 < half.total_params / post.total_params < 0.36  # "about a third"
