"""The course's settings: grading outside the student's kernel, deleted tests put back, stubs in the lesson's style."""

import sys

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as steps

from vgg_lesson.data.sources import REPOSITORY

sys.path.append(str(REPOSITORY))  # a clone, in which `pip install -e .` was run

from tools.grading import ExecuteAndJudge, PutBack

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "vgg-lesson"
c.Autograde.sanitize_preprocessors = [
    steps.ClearOutput,
    steps.DeduplicateIds,
    steps.OverwriteKernelspec,
    PutBack,
    steps.CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    ExecuteAndJudge,
    steps.IgnorePattern,
    ClearMetadataPreprocessor,
    steps.LimitOutput,
    steps.SaveAutoGrades,
    steps.AssignLatePenalties,
    steps.CheckCellMetadata,
]
c.OverwriteCells.add_missing_cells = True
c.Execute.timeout = 120  # seconds per cell; an endless loop ends there
c.ClearSolutions.code_stub = {"python": "# your lines here"}
