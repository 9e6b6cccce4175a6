"""What is said about predictions, against torchmetrics."""

from __future__ import annotations

import pytest
import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_calibration_error,
    multiclass_confusion_matrix,
    multiclass_precision,
)

from vgg_lesson import (
    ImageSet,
    Predictions,
    calibration,
    class_vgg,
    confusion_matrix,
    per_class_accuracy,
    predict,
)
from vgg_lesson.classroom.checks.predictions import binned_error, precision, surest_mistakes

ABSENT = 4


@pytest.fixture(scope="module", params=[0.3, 3.0])
def drawn(request: pytest.FixtureRequest) -> Predictions:
    """Random probabilities, hesitant or decided, for labels of every class but one."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 9, (3000,), generator=generator)
    labels[labels >= ABSENT] += 1
    scores = request.param * torch.randn(3000, 10, generator=generator)
    scores[torch.arange(3000), labels] += request.param
    return Predictions(scores.softmax(dim=1), labels)


def test_confusion_matrix(drawn: Predictions) -> None:
    expected = multiclass_confusion_matrix(drawn.probabilities, drawn.labels, num_classes=10)
    assert torch.equal(confusion_matrix(drawn), expected)


def test_per_class_accuracy_and_precision(drawn: Predictions) -> None:
    ours = per_class_accuracy(drawn)
    expected = multiclass_accuracy(drawn.probabilities, drawn.labels, num_classes=10, average=None)
    present = torch.arange(10) != ABSENT
    assert torch.allclose(ours[present], expected[present]) and ours[ABSENT].isnan()
    named = multiclass_precision(drawn.probabilities, drawn.labels, num_classes=10, average=None)
    assert torch.allclose(precision(confusion_matrix(drawn)), named)
    overall = multiclass_accuracy(drawn.probabilities, drawn.labels, num_classes=10, average="micro")
    assert drawn.accuracy == pytest.approx(overall.item())


@pytest.mark.parametrize("bins", [1, 5, 10, 15])
def test_calibration_error(drawn: Predictions, bins: int) -> None:
    ours = calibration(drawn, bins)
    expected = multiclass_calibration_error(drawn.probabilities, drawn.labels, num_classes=10, n_bins=bins, norm="l1")
    assert ours.error == pytest.approx(expected.item(), abs=1e-5)
    assert int(ours.count.sum()) == 3000 and (ours.count > 0).all()
    assert (ours.confidence.diff() > 0).all()


def test_a_confidence_of_one_and_an_error_by_hand() -> None:
    certain = Predictions(torch.eye(10)[[0, 1]], torch.tensor([0, 2]))
    assert calibration(certain).error == pytest.approx(0.5)
    assert binned_error() == pytest.approx(0.2 * 0.05 + 0.3 * 0.05 + 0.5 * 0.09, abs=1e-6)


def test_surest_mistakes_are_wrong_and_in_order(drawn: Predictions) -> None:
    chosen = surest_mistakes(drawn.probabilities, drawn.labels, 20)
    assert not drawn.correct[chosen].any() and (drawn.confidence[chosen].diff() <= 0).all()
    others = (~drawn.correct).nonzero().flatten().tolist()
    rest = sorted(set(others) - set(chosen.tolist()))
    assert drawn.confidence[rest].max() <= drawn.confidence[chosen].min()


def test_predict_keeps_order_and_mode_whatever_the_batch() -> None:
    torch.manual_seed(0)
    model = class_vgg(width=0.05, hidden=8).train()
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (23, 28, 28), generator=generator, dtype=torch.uint8)
    data = ImageSet(images, torch.arange(23) % 10)
    predictions = predict(model, data, batch_size=5)
    assert model.training
    with torch.no_grad():
        expected = model.eval()(model.preprocessing(images)).softmax(dim=1)
    assert torch.allclose(predictions.probabilities, expected, atol=1e-5)
    assert torch.equal(predictions.labels, data.labels)
