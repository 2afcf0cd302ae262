from ._choices._class_losses import (
    CrossEntropy as CrossEntropy,
    Focal as Focal,
)
from ._choices._gates import (
    DSelectK as DSelectK,
    Gate as Gate,
    Softmax as Softmax,
    TopK as TopK,
)
from ._choices._interactions import (
    FM as FM,
    Cross as Cross,
    Interaction as Interaction,
    SENet as SENet,
)
from ._choices._loss import Loss as Loss
from ._choices._number_losses import (
    ZILN as ZILN,
    AbsoluteError as AbsoluteError,
    Gamma as Gamma,
    Huber as Huber,
    Poisson as Poisson,
    Quantile as Quantile,
    SquaredError as SquaredError,
)
from ._choices._numeric_embedding import NumericEmbedding as NumericEmbedding
from ._choices._numeric_embeddings import (
    Bins as Bins,
    Periodic as Periodic,
    PiecewiseLinear as PiecewiseLinear,
)
from ._choices._wiring_choice import WiringChoice as WiringChoice
from ._classifier import MultiTaskClassifier as MultiTaskClassifier
from ._models._adatt import (
    AdaTT as AdaTT,
    AdaTTClassifier as AdaTTClassifier,
    AdaTTRegressor as AdaTTRegressor,
)
from ._models._aitm import (
    AITM as AITM,
    AITMClassifier as AITMClassifier,
)
from ._models._cgc import (
    CGC as CGC,
    CGCClassifier as CGCClassifier,
    CGCRegressor as CGCRegressor,
)
from ._models._cross_stitch import (
    CrossStitch as CrossStitch,
    CrossStitchClassifier as CrossStitchClassifier,
    CrossStitchRegressor as CrossStitchRegressor,
)
from ._models._dbmtl import (
    DBMTL as DBMTL,
    DBMTLClassifier as DBMTLClassifier,
)
from ._models._escm2 import ESCM2Classifier as ESCM2Classifier
from ._models._esmm import (
    ESMM as ESMM,
    ESMMClassifier as ESMMClassifier,
)
from ._models._home import (
    HoME as HoME,
    HoMEClassifier as HoMEClassifier,
    HoMERegressor as HoMERegressor,
)
from ._models._mmoe import (
    MMoE as MMoE,
    MMOEClassifier as MMOEClassifier,
    MMOERegressor as MMOERegressor,
)
from ._models._omoe import (
    OMoE as OMoE,
    OMOEClassifier as OMOEClassifier,
    OMOERegressor as OMOERegressor,
)
from ._models._ple import (
    PLE as PLE,
    PLEClassifier as PLEClassifier,
    PLERegressor as PLERegressor,
)
from ._models._shared_bottom import (
    SharedBottom as SharedBottom,
    SharedBottomClassifier as SharedBottomClassifier,
    SharedBottomRegressor as SharedBottomRegressor,
)
from ._models._single_task import (
    SingleTask as SingleTask,
    SingleTaskClassifier as SingleTaskClassifier,
    SingleTaskRegressor as SingleTaskRegressor,
)
from ._models._snr import (
    SNR as SNR,
    SNRClassifier as SNRClassifier,
    SNRRegressor as SNRRegressor,
)
from ._models._stem import (
    STEM as STEM,
    STEMClassifier as STEMClassifier,
    STEMRegressor as STEMRegressor,
)
from ._multi_task_estimator import MultiTaskEstimator as MultiTaskEstimator
from ._regressor import MultiTaskRegressor as MultiTaskRegressor
