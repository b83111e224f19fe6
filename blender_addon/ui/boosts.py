"""Have a job rendered sooner for points: what that costs and gives is said before it is done."""

from typing import Any

import bpy

from ..boosts import MOST, lacks, told
from ..comms import boosting
from ..comms.boosting import Boost
from . import accountoperators, joblist, pump
from .desk import desk
from .despatch import brief
from .preferences import use
from .words import paragraph

POINTS = 10
"""Points that are proposed."""


class DISTREN_OT_boost(bpy.types.Operator):
    """Have the job rendered sooner for points of yours; says first what that costs, and how much sooner it is done."""

    bl_idname = "distren.boost"
    bl_label = "Boost job"

    job: bpy.props.IntProperty(name="Job", description="The job's number; 0: the one chosen in the list")
    points: bpy.props.IntProperty(
        name="Points",
        description="Points that the job may use; what is left at its end returns. 0 ends its boost",
        min=0,
        default=POINTS,
    )
    boost: bpy.props.IntProperty(
        name="Boost", description="How much sooner: 1 is twice its share", min=1, max=MOST, default=1
    )
    ask: bpy.props.BoolProperty(
        name="Only ask", description="Say what it would cost and give; spend nothing", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Tell whether we are connected."""
        return desk.connected

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Show in the panel what it would cost and give."""
        manager = context.window_manager
        desk.weigh(Boost(self.job or joblist.number(manager), manager.distren_points, manager.distren_boost))
        pump.start()
        pump.redraw()
        return {"FINISHED"}

    def execute(self, context: Any) -> set[str]:
        """Do it, or only ask."""
        wish = Boost(self.job or joblist.number(context.window_manager), self.points, self.boost)
        if self.ask:
            return self._ask(wish)
        link = use()
        desk.weigh(None)
        return accountoperators.carry_out(self, lambda: boosting.put(link, wish))

    def _ask(self, wish: Boost) -> set[str]:
        """Ask, and report the answer: scripts run in the background."""
        desk.weigh(wish)
        pump.start()
        if not bpy.app.background:
            return {"FINISHED"}
        pump.wait(pump.idle)
        if desk.weighed is not None and desk.weighed.view is not None:
            self.report({"INFO"}, told(desk.weighed.view, brief))
        return accountoperators.told(self, desk.trouble)


class DISTREN_OT_forget_boost(bpy.types.Operator):
    """Spend nothing."""

    bl_idname = "distren.forget_boost"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def execute(self, _context: Any) -> set[str]:
        """Close the question."""
        desk.weigh(None)
        pump.redraw()
        return {"FINISHED"}


def changed(manager: Any, _context: Any) -> None:
    """Ask again when the artist changes the figures."""
    if desk.boost is not None:
        desk.weigh(Boost(desk.boost.job, manager.distren_points, manager.distren_boost))
        pump.start()


def draw(layout: Any, context: Any, job: int) -> None:
    """Draw the question, if it is about this job: figures, what they cost and give, yes and no."""
    if desk.boost is None or desk.boost.job != job:
        return
    box, manager = layout.box(), context.window_manager
    column = box.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(manager, "distren_points")
    column.prop(manager, "distren_boost")
    known = desk.weighed.view if desk.weighed is not None and desk.weighed.boost == desk.boost else None
    if known is not None and known["points"]:
        paragraph(box, context, told(known, brief), icon="INFO")
    elif known is not None:
        paragraph(box, context, "The boost ends; what is left of its points is yours again.", icon="INFO")
    row = box.row(align=True)
    row.operator_context = "EXEC_DEFAULT"
    yes = row.row(align=True)
    yes.enabled = known is not None and not lacks(known)
    made = yes.operator("distren.boost", text="Boost" if desk.boost.points else "End the boost", icon="CHECKMARK")
    made.job, made.points, made.boost = job, desk.boost.points, desk.boost.boost
    row.operator("distren.forget_boost", icon="X")


CLASSES = (DISTREN_OT_boost, DISTREN_OT_forget_boost)
