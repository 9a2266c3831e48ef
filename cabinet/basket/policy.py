"""Every constant of the tally, with its reason.  Refuses nothing; changing one changes bills, so change with care."""

from dataclasses import dataclass

from cabinet.basket.evidence import Product


@dataclass(frozen=True, slots=True)
class Costs:
    """What a mistake costs the operator, in any one unit: only their ratios count.  None below zero, review above."""

    overcharge: float = 5.0  # a shopper is charged for what they do not have: refund, complaint, lost trust
    undercharge: float = 3.5  # goods leave unpaid
    review: float = 1.0  # a person looks at the visit


@dataclass(frozen=True, slots=True)
class TallyPolicy:
    """Source of a constant: (D) data sheet or field report, (M) measured on recorded visits, (J) judgement."""

    costs: Costs = Costs()

    # Weighing
    block_s: float = 0.0625  # five samples at 80 Hz: shorter than half a period of shelf ringing, 6-8 Hz (M)
    settled_slope_g: float = 2.5  # a short rest climbs less in half a second; temperature drift reached 1.5 (M)
    step_g: float = 4.0  # smaller changes are drift: the lightest product known has 30 g
    least_end_s: float = 0.3  # settled time after the closing without which there is no end mass (J)
    spike_g: float = 12.0  # one or two samples this far off their neighbours are no mass (D: HX711 reports)
    level_sd_g: float = 0.08  # what averaging does not remove: creep, a neighbour's load (M: calibrates steps' sd)
    walk_sd_g: float = 0.05  # a mass at rest wanders this much from block to block: 20 g in 20 s is followed (M)
    motion_g: float = 5.0  # scale of the changes from block to block while something moves (M)
    glide_g: float = 1.6  # change in half a second from which a motion without jerks is one: 20 g in 8 s is drift (J)
    log_leave: float = -3.0  # a rest ends: once in 20 blocks, about a second (J)
    log_arrive: float = -1.0  # a motion ends: three blocks (J)
    regime_nats: float = 12.0  # a course this much less probable than the best is followed no further
    least_blocks: int = 4  # a rest of fewer is no level: a hand's highest point looks the same (M)

    # What the frame carries to other zones
    coupling: float = 0.0  # share of a load's change (M: 0.0033 on recorded visits; none in a stiff rack)
    coupling_sd: float = 0.002  # between cabinets
    untouched: float = 0.015  # a zone that feels less than this share of the others' changes was not touched
    quiet_sd_g: float = 1.5  # drift of such a zone meanwhile (M)

    # How a mass may differ from the catalogue
    drift_sd_g: float = 2.5  # zone, one visit (M: 0-2 g usual)
    drift_wide_sd_g: float = 8.0  # one visit in ten; grows with the root of minutes (D: 0.1 % of scale in minutes)
    wide_share: float = 0.1  # prior of the wide branch, of drift and of catalogue alike (J)
    catalogue_tolerance: float = 0.002  # share of the mass, beside the learnt spread (J)
    catalogue_wide: float = 0.015  # the same where the catalogue is off (D: packaging changes)
    catalogue_wide_unlearnt: float = 0.03  # and where no spread was ever learnt
    off_mass: float = (
        0.08  # sd, as a share, of a mass that the catalogue has quite wrong (D: 10-15 % on a real cabinet)
    )
    off_learnt: float = 0.0005  # how often that is so of a product whose mass was learnt here
    off_unlearnt: float = 0.01  # and of one whose mass somebody typed
    same_piece: float = 0.002  # a piece that comes back weighs the same, but for where it stands on the tray (J)
    limit_sd: float = 3.0  # the final residual of a zone may be this many wide sd, else a person decides

    # Sight
    seen: float = 0.8  # a camera that sees the zone notices a unit crossing its edge (M: 80-90 %)
    phantom: float = 0.06  # sightings with nothing behind them, per act (J)
    wrong_action: float = 0.05  # a take called a return (J)
    trust: float = 0.9  # the rest of a score is spread evenly: no single look outweighs 200 : 1 (J)
    vague: float = 0.3  # share of looks without a direction that saw something else moving (J)
    usual_other: float = 0.1  # share of movements that are no product of the catalogue (J)
    named: float = 0.3  # a best score of this names a product (J)
    lag_s: float = 1.2  # camera clock against scale clock (J)

    # Priors of stories
    units: tuple[float, ...] = (0.8, 0.15, 0.05)  # one, two, three units in one settled change (J)
    same: float = 0.5  # of several units, how often all are of one product (J)
    more_units: float = 0.1  # each further unit of the same product
    misplaced: float = 0.004  # taken from a zone that the ledger does not know it in (restocking error)
    stray: float = 0.05  # the same where such a product was found there before, and nobody has put it right since
    elsewhere: float = 0.2  # a put-back lands in another zone
    swap: float = 0.02  # one taken and one put back within the same settled change
    bounced: float = 0.05  # one taken and put back within the same settled change
    overstock: float = 0.01  # more left than the ledger knew of; never charged, but it may be what happened
    alien: float = 0.003  # a product of the catalogue comes that nobody took in this visit
    foreign: float = 0.01  # a thing of one's own is left
    alike_g: float = 4.0  # and may be chosen to weigh what they hold: sd of how well, with
    alike: float = 0.03  # so much of its mass (J)
    unexplained: float = 0.0015  # none of the above
    misweighed: float = 0.0005  # a product left and the zone felt something else: a broken cell (J)
    slow: float = 0.03  # the levels on the way were of one take that slid over the edge (J)
    heaviest_g: float = 2000.0  # what people leave or do that nobody expected weighs anything up to this
    exchange: float = 0.001  # a thing of one's own comes for a product within the same settled change
    exchange_g: float = 40.0  # and differs from it by up to this, or the net would tell
    pressure: float = 0.05 / 500  # a level that was a hand or a bag, not goods: share / range in grams
    nothing: float = 0.02  # a settled change without goods: tilt, a neighbour's shelf
    nothing_sd_g: float = 4.0
    bleed: float = 0.01  # goods left without any settled step: slid or lifted very slowly

    # Bounds
    beam: int = 128  # stories kept after each change
    per_change: int = 40  # explanations kept of one change
    nats: float = 16.0  # what is this much worse than the best is dropped: e-16 = 1e-7
    max_steps: int = 40  # settled changes of one zone; more is no shopping: a person decides

    def off_share(self, product: Product) -> float:
        """How probable it is that the catalogue has the mass quite wrong."""
        return self.off_unlearnt if product.mass_sd_g is None else self.off_learnt

    def wide_share_of_mass(self, product: Product) -> float:
        """How far, as a share of the mass, the catalogue may be off (one sd)."""
        return self.catalogue_wide_unlearnt if product.mass_sd_g is None else self.catalogue_wide
