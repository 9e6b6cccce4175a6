"""What `vgg_lesson` offers and where each name stands; ``__init__.py`` imports it when it is asked for."""

from .analysis.attribution import (
    cover_hottest as cover_hottest,
)
from .analysis.attribution import (
    layer_output as layer_output,
)
from .analysis.attribution import (
    strongest as strongest,
)
from .analysis.intervals import (
    difference as difference,
)
from .analysis.intervals import (
    interval as interval,
)
from .analysis.predictions import (
    Predictions as Predictions,
)
from .analysis.predictions import (
    calibration as calibration,
)
from .analysis.predictions import (
    confusion_matrix as confusion_matrix,
)
from .analysis.predictions import (
    per_class_accuracy as per_class_accuracy,
)
from .analysis.predictions import (
    predict as predict,
)
from .analysis.signal import (
    cell_influence as cell_influence,
)
from .analysis.signal import (
    pair_signal as pair_signal,
)
from .analysis.signal import (
    signal_by_layer as signal_by_layer,
)
from .arithmetic import (
    LayerRow as LayerRow,
)
from .arithmetic import (
    LayerTrace as LayerTrace,
)
from .arithmetic import (
    MemoryBill as MemoryBill,
)
from .arithmetic import (
    fits as fits,
)
from .arithmetic import (
    memory as memory,
)
from .arithmetic import (
    trace as trace,
)
from .arithmetic import (
    window as window,
)
from .classroom import figures as figures
from .classroom import widgets as widgets
from .classroom.checks import check as check
from .classroom.doctor import (
    banner as banner,
)
from .classroom.doctor import (
    doctor as doctor,
)
from .classroom.live import live as live
from .classroom.scale_up import (
    fit_waits as fit_waits,
)
from .classroom.scale_up import (
    paper_model as paper_model,
)
from .classroom.scale_up import (
    ring_bytes as ring_bytes,
)
from .classroom.scale_up import (
    stored_scaling as stored_scaling,
)
from .classroom.scale_up_jobs import (
    FinishedRuns as FinishedRuns,
)
from .classroom.scale_up_jobs import (
    await_file as await_file,
)
from .classroom.scale_up_jobs import (
    follow as follow,
)
from .configs import (
    CONFIGS as CONFIGS,
)
from .configs import (
    Conv as Conv,
)
from .configs import (
    Network as Network,
)
from .configs import (
    VGGConfig as VGGConfig,
)
from .configs import (
    get_config as get_config,
)
from .data.augmentation import AUGMENTATIONS as AUGMENTATIONS
from .data.batches import (
    Preprocessing as Preprocessing,
)
from .data.batches import (
    batches as batches,
)
from .data.batches import (
    to_batch as to_batch,
)
from .data.datasets import (
    CLASSES as CLASSES,
)
from .data.datasets import (
    ImageSet as ImageSet,
)
from .data.datasets import (
    data_loaders as data_loaders,
)
from .data.datasets import (
    load_fashion_mnist as load_fashion_mnist,
)
from .data.pictures import garment_from_picture as garment_from_picture
from .models import (
    VGG as VGG,
)
from .models import (
    VGGBlock as VGGBlock,
)
from .models import (
    build_vgg as build_vgg,
)
from .models import (
    class_vgg as class_vgg,
)
from .models import (
    initialize as initialize,
)
from .models import (
    load_torchvision_weights as load_torchvision_weights,
)
from .records.experiments import (
    CHANGES as CHANGES,
)
from .records.experiments import (
    build_changed as build_changed,
)
from .records.experiments import (
    train_changed as train_changed,
)
from .records.published import published as published
from .records.stored_runs import (
    factor_runs as factor_runs,
)
from .records.stored_runs import (
    four_logs as four_logs,
)
from .records.stored_runs import (
    read_log as read_log,
)
from .records.stored_runs import (
    stored_run as stored_run,
)
from .records.stored_runs import (
    stored_tools as stored_tools,
)
from .support.budgets import get_budget as get_budget
from .support.machine import (
    fast_precision as fast_precision,
)
from .support.machine import (
    pick_device as pick_device,
)
from .support.machine import (
    set_threads as set_threads,
)
from .training.checkpoints import (
    load_trained as load_trained,
)
from .training.checkpoints import (
    load_weights as load_weights,
)
from .training.checkpoints import (
    save_weights as save_weights,
)
from .training.checkpoints import (
    trained_card as trained_card,
)
from .training.evaluation import evaluate as evaluate
from .training.history import (
    EpochRecord as EpochRecord,
)
from .training.history import (
    History as History,
)
from .training.loop import fit as fit
from .training.muon import Muon as Muon
from .training.recipes import (
    PLANS as PLANS,
)
from .training.recipes import (
    Experiment as Experiment,
)
from .training.recipes import (
    Recipe as Recipe,
)

__all__: list[str]
