"""Every figure of the series: data in, a matplotlib figure with a text alternative out."""

from vgg_lesson.classroom.figures.architecture import Window, draw_cost_rules, draw_sizes, draw_table, draw_windows
from vgg_lesson.classroom.figures.architecture_network import draw_network
from vgg_lesson.classroom.figures.data import (
    class_grid,
    class_means,
    compute_by_grid,
    feeding,
    garment_grid,
    halvings,
    pixel_histogram,
    pixel_numbers,
    two_sizes,
)
from vgg_lesson.classroom.figures.does_depth_help import factor_gains, luck_intervals, price_of_depth, seed_dots
from vgg_lesson.classroom.figures.does_depth_help_curves import depth_losses, depth_signals, paper_table
from vgg_lesson.classroom.figures.look_inside import (
    activation_flow,
    filter_responses,
    garment_map,
    picture_rows,
    two_filter_sets,
)
from vgg_lesson.classroom.figures.look_inside_heat import Heat, covering_test, heat_maps
from vgg_lesson.classroom.figures.parameter_arithmetic import (
    cheaper_networks,
    filter_bank,
    memory_bars,
    parameter_squares,
    three_costs,
)
from vgg_lesson.classroom.figures.predictions import (
    class_accuracy,
    confused_pairs,
    confusion_map,
    opinions,
    prediction_grid,
    probability_strips,
    reliability,
)
from vgg_lesson.classroom.figures.predictions_browser import one_prediction, own_picture
from vgg_lesson.classroom.figures.reuse_the_backbone import accuracy_by_cut, few_label_curves, neighbour_rows, vgg_taps
from vgg_lesson.classroom.figures.scale_up import (
    batch_shares,
    killed_and_resumed,
    speedups,
    step_time,
    waits_fitted,
    work_and_bytes,
)
from vgg_lesson.classroom.figures.start_here import guess_beside_answer, series_map
from vgg_lesson.classroom.figures.takeaways import (
    TableRow,
    beside_the_table,
    inception_module,
    module_costs,
    one_layout,
    own_row,
    seed_pairs,
    tools_compared,
)
from vgg_lesson.classroom.figures.train_it_well import (
    augmented_views,
    beside_the_post,
    published_curves,
    running_log,
    schedule_curve,
    seeds_of_a_run,
    valley_paths,
)
from vgg_lesson.classroom.figures.train_it_well_desk import overlaid_runs
from vgg_lesson.classroom.figures.train_it_well_logs import four_logs
from vgg_lesson.classroom.figures.why_depth import (
    contest,
    depth_evidence,
    error_maps,
    first_windows,
    stack_bill,
    window_cones,
)
from vgg_lesson.classroom.figures.why_depth_cell import cell_window, half_of
from vgg_lesson.classroom.figures.why_depth_fields import field_growth, influence, windows_on_garment, windows_over_edge
from vgg_lesson.classroom.figures.why_it_stalls import (
    impostor_overlay,
    loss_curves,
    plateau,
    published_log,
    suspects_board,
)
from vgg_lesson.classroom.figures.why_it_stalls_pair import tell_apart
from vgg_lesson.classroom.figures.why_it_stalls_signal import (
    kept_by_step,
    scores_of,
    signal_by_init,
    signal_decay,
    training_step,
)
