"""The course's settings: grading outside the student's kernel, damaged submissions mended, the lesson's own stubs."""

import os
import sys
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as steps

from vgg_lesson.data.sources import REPOSITORY

sys.path.append(str(REPOSITORY))  # a clone, in which `pip install -e .` was run
# nbgrader calls alembic by its name, which is found only where the environment is activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

from tools import grading

COURSE = Path(__file__).parent
grading.ship(COURSE)

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "vgg-lesson"
c.Autograde.pre_convert_hook = grading.accept_renamed
c.Autograde.sanitize_preprocessors = [
    steps.ClearOutput,
    grading.Mend,
    steps.OverwriteKernelspec,
    grading.PutBack,
    steps.CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    grading.ExecuteAndJudge,
    steps.IgnorePattern,
    ClearMetadataPreprocessor,
    steps.LimitOutput,
    steps.SaveAutoGrades,
    steps.AssignLatePenalties,
    steps.CheckCellMetadata,
]
c.GenerateFeedback.post_convert_hook = grading.name_questions
c.OverwriteCells.add_missing_cells = True
c.Execute.timeout = 120  # seconds per cell; an endless loop ends there
c.Execute.iopub_timeout = 30  # seconds that a busy machine may need for what a cell printed
c.ClearSolutions.code_stub = {"python": "# your lines here"}
