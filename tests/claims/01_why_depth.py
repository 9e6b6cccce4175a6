"""What notebook 01 says of its own run."""

from vgg_lesson import CLASSES

assert CLASSES[test.labels[0]] == "Ankle boot", "the image is called a boot"
assert look_back(vgg11)[-1] == 150 and view_of(0, vgg11) == (-59, 150), "the corner cell sees 91 pixels of image"
assert int((error > 1e-6).sum()) == 208, "the frame holds 208 cells"
assert (bent > 1e-6).all(), "with ReLUs between, the 7×7 fits nowhere"
assert middle > 0.5, "a quarter of the window's area carries most of the influence"
assert [name for name in detectors if "vgg" in name] == ["ssd300_vgg16"], "one of torchvision's detectors stands on VGG"
assert not any("vgg" in name for name in detectors if name.startswith("fasterrcnn"))
assert view_of(3, vgg11)[0] > 0, "the middle cell of pool5 never sees the tip of the toe"
