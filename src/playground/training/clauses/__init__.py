"""Training a clause flagger from start to store: shared by the page and the command line, without either.

Data is split by contract, the adapter trained, calibrated on contracts kept aside, measured on others, and stored with
its manifest and model card, or nothing is stored at all.
"""

from playground.annotations.units import contract_units
from playground.training.clauses.bases import BUNDLED_BASES, TrainingBase, load_training_base
from playground.training.clauses.measuring import LabelError, Measurement
from playground.training.clauses.plan import TrainingPlan, TrainingSplit, split_for_training
from playground.training.clauses.train import TrainingReport, resumed_step, train_clauses
from playground.training.lock import training_lock

__all__ = [
    "BUNDLED_BASES",
    "LabelError",
    "Measurement",
    "TrainingBase",
    "TrainingPlan",
    "TrainingReport",
    "TrainingSplit",
    "contract_units",
    "load_training_base",
    "resumed_step",
    "split_for_training",
    "train_clauses",
    "training_lock",
]
