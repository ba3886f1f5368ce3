# Not here because the interpreter cannot show them: a __threadfence that is missing, since it has one
# order of memory for all threads; a plain `*sum += value`, since others run only where something lets
# them.  Not here because it harms nothing: a column too many in sum_group(), whose sum no lane keeps.

# ---- Barriers

planted_bug(ADenseFlushWithoutItsBarrierIsSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[__syncthreads();  // nobody reads the ring any more]]
  TO [[]])

planted_bug(ADenseFlushThatReadsBeforeAllHaveWrittenIsSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[
    __syncthreads();
    const int chunk_columns]]
  TO [[
    const int chunk_columns]])

planted_bug(DenseCopiesBegunBeforeTheirBarriersAreStartedAreSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[
    __syncthreads();
    for (auto s]]
  TO [[
    for (auto s]])

planted_bug(ChunksAddedUpWithoutTheTeamsBarrierAreSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[team_barrier(1u +]]
  TO [[static_cast<void>(1u +]])

planted_bug(ChunksOfTwoTeamsInOneBufferAreSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[(turn_ * shape_.teams + team_)]]
  TO [[(turn_ * shape_.teams)]])

planted_bug(ChunksOfTwoTilesInOneBufferAreSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[turn_ ^= 1]]
  TO [[turn_ ^= 0]])

planted_bug(ADenseSlotFilledAgainBeforeEveryLaneHasReadItIsSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[__syncwarp();  // every lane has read the slot]]
  TO [[]])

planted_bug(ADenseSlotFilledAgainWithoutAFenceIsSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[fence_proxy_async();]]
  TO [[]])

planted_bug(AWideSlotFilledAgainWithoutAFenceIsSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[fence_proxy_async();]]
  TO [[]])

planted_bug(ASlotOfSmallStepsFilledAgainWithoutAFenceIsSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[fence_proxy_async();]]
  TO [[]])

planted_bug(AWideSlotFilledAgainBeforeEveryLaneHasReadItIsSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[__syncwarp();  // every lane has read the slot]]
  TO [[]])

planted_bug(AWideItemReadBeforeItIsWrittenIsSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[shared_.items[begun_ % kItemsAhead] = ahead_;
      __syncwarp();]]
  TO [[shared_.items[begun_ % kItemsAhead] = ahead_;]])

planted_bug(AWideWeightReadBeforeItIsWrittenIsSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[
    __syncwarp();
    RowPair chain]]
  TO [[
    RowPair chain]])

planted_bug(ATreeThatAddsTermsBeforeTheyAreThereIsSeen
  COMPILE update.cu IN update.cuh
  FROM [[
  a[threadIdx.x] = term;
  __syncthreads();]]
  TO [[
  a[threadIdx.x] = term;]])

# ---- Waiting

# This one happened: a barrier of copies tells odd phases from even ones, no more.
planted_bug(ASlotOfTwoPhasesAgoTakenForAFullOneIsSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[load_fresh(shared_.begun + slot_of(item)) <= phase]]
  TO [[false]])

planted_bug(ADenseSlotReadBeforeItsCopyIsThereIsSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[await_copy(shared_.arrival + slot_of(item), phase & 1u);]]
  TO [[]])

planted_bug(AWideGradientThatDoesNotWaitForResidualsIsSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[load_fresh(scratch_.ready + item.slice) == 0]]
  TO [[false]])

planted_bug(AWideTileFinishedByTheFirstOfItsChunksIsSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[before + 1 == static_cast<unsigned>(shape_.chunks)]]
  TO [[before == 0]])

planted_bug(TicketsThatHandOutGradientsBeforeTheirScoresAreSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[item(scores ? q + 1 : q, in_pair / 2, scores)]]
  TO [[item(q, in_pair / 2, !scores)]])

planted_bug(AMomentumChosenByTheFirstBlockIsSeen
  COMPILE update.cu IN update.cuh
  FROM [[atomicAdd(blocks_done, 1u) + 1 == gridDim.x]]
  TO [[atomicAdd(blocks_done, 1u) == 0]])

# ---- Butterflies

planted_bug(AButterflyOfHalfAWarpIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[a += __shfl_xor_sync(kEveryLane, a, o)]]
  TO [[a += __shfl_xor_sync(kEveryLane >> 16, a, o)]])

planted_bug(AButterflyInAnotherOrderIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[int o = 16; o > 0; o /= 2) a +=]]
  TO [[int o = 1; o < 32; o *= 2) a +=]])

planted_bug(AButterflyStageThatComesTwiceIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[transposed_stage<2>(a)]]
  TO [[transposed_stage<1>(a)]])

# ---- Off by one

planted_bug(AScoreOfOneColumnTooManyIsSeen
  COMPILE gradient.cu IN column_groups.cuh
  FROM [[j < columns; ++j]]
  TO [[j <= columns; ++j]])

planted_bug(ADenseCopyOfOneColumnTooManyIsSeen
  COMPILE gradient.cu IN dense_gradient.cuh
  FROM [[shape_.features - group * kGroupColumns]]
  TO [[shape_.features + 1 - group * kGroupColumns]])

planted_bug(AWideGroupOfOneColumnTooManyIsSeen
  COMPILE gradient.cu IN wide_gradient.cuh
  FROM [[(rows_.features) - first_column(item, group)]]
  TO [[(rows_.features) + 1 - first_column(item, group)]])

planted_bug(ABatchThatLeavesOutItsFirstRowIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[i >= slice.row_begin]]
  TO [[i > slice.row_begin]])

planted_bug(ABatchThatTakesOneRowTooManyIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[i < slice.row_end]]
  TO [[i <= slice.row_end]])

# ---- Sums

# Where nothing lets others run, the interpreter reads and writes in one go.
planted_bug(AnAdditionThatLosesAnotherIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[atomicAdd(reinterpret_cast<unsigned long long*>(sum), static_cast<unsigned long long>(value))]]
  TO [[const std::int64_t before = *sum; __threadfence(); *sum = before + value]])

planted_bug(ALossThatIsNotClampedIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[small ? loss : kLargestLoss]]
  TO [[loss]])

planted_bug(AScoreThatIsNotFiniteAndNotReplacedIsSeen
  COMPILE gradient.cu IN warp.cuh
  FROM [[return finite ? score : 0.0f;]]
  TO [[return score;]])

planted_bug(SumsThatAreNotClearedAreSeen
  COMPILE update.cu IN update.cuh
  FROM [[sums[j] = 0;]]
  TO [[]])

planted_bug(TotalsThatAreNotClearedAreSeen
  COMPILE update.cu IN update.cuh
  FROM [[totals[i] = 0]]
  TO [=[(void)totals[i]]=])

planted_bug(ATouchedFeatureMovedTwiceIsSeen
  COMPILE update.cu IN update.cuh
  FROM [[atomicExch(reinterpret_cast<unsigned long long*>(sums + j), 0ull)]]
  TO [[([&] { const auto sum = sums[j]; __threadfence(); sums[j] = 0; return sum; }())]])

planted_bug(StatesOfARuleThatShareTheirMemoryAreSeen
  COMPILE update.cu IN element_update.cuh
  FROM [=[states[k * apart + j] = state[k]]=]
  TO [=[states[j] = state[k]]=])

planted_bug(AStateThatAKernelOfManyStepsKeepsToItselfIsSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[copy_states(shared_.states, view_.states);]]
  TO [[]])

planted_bug(AListedUpdateThatForgetsTheInterceptIsSeen
  COMPILE update.cu IN update.cuh
  FROM [[i <= features;]]
  TO [[i < features + (listed ? 0 : 1);]])

planted_bug(AFoldOfListedFeaturesAloneIsSeen
  COMPILE update.cu IN update.cuh
  FROM [[R::keeps_untouched(model, parameters)]]
  TO [[parameters.scale > 0]])

# ---- Batches and sparse rows

planted_bug(ABatchThatForgetsTheShortTileIsSeen
  COMPILE rows.cu IN batches.cuh
  FROM [[first = order.first_row_at(k);]]
  TO [[first = k * kTileRows;]])

planted_bug(AChunkOfASparseChainClosedLateIsSeen
  COMPILE gradient.cu IN sparse_gradient.cuh
  FROM [[if (k > 0 && k % kScoreChunk == 0) {]]
  TO [[if (k > kScoreChunk && k % kScoreChunk == 0) {]])

planted_bug(AChunkOfSpilledEntriesClosedLateIsSeen
  COMPILE gradient.cu IN sparse_gradient.cuh
  FROM [[if (k > 0 && k % kScoreChunk == 0) chain]]
  TO [[if (k > 0 && k % kScoreChunk == 1) chain]])

planted_bug(SpilledEntriesAddedByEveryWarpOfATileAreSeen
  COMPILE gradient.cu IN sparse_gradient.cuh
  FROM [[if (part_ != 0) return;]]
  TO [[]])

planted_bug(SpilledEntriesOfTheUpperRowsTakenForOthersAreSeen
  COMPILE gradient.cu IN sparse_gradient.cuh
  FROM [[first_spill + all_low + sum]]
  TO [[first_spill + sum]])

planted_bug(SumsOfFrequentFeaturesThatLoseTheirCarryAreSeen
  COMPILE gradient.cu IN sparse_gradient.cuh
  FROM [[before + low_part < low_part ?]]
  TO [[false ?]])

planted_bug(SumsOfFrequentFeaturesTakenBeforeAllHaveAddedAreSeen
  COMPILE gradient.cu IN sparse_gradient.cuh
  FROM [[
    __syncthreads();
    const auto count]]
  TO [[
    const auto count]])

planted_bug(FrequentFeaturesThatAreNotListedAreSeen
  COMPILE gradient.cu IN sparse_gradient.cuh
  FROM [[add_feature(run, rows_.hot[i], sum) :]]
  TO [[(add_feature(run, rows_.hot[i], sum), kNone) :]])

planted_bug(StreamedRowsWhoseLastWordsAreAllTheSameAreSeen
  COMPILE rows.cu IN segments.cuh
  FROM [=[segment.to[i] = segment.from[i]]=]
  TO [=[segment.to[i] = segment.from[done]]=])

# ---- Many steps in one kernel

planted_bug(StepsThatReadSumsBeforeAllWarpsHavePutThemDownAreSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[put_down_sums();
      __syncthreads();]]
  TO [[put_down_sums();]])

planted_bug(StepsThatMoveWeightsBeforeSumsAreAddedUpAreSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[add_up(step);
      __syncthreads();]]
  TO [[add_up(step);]])

planted_bug(StepsThatScoreRowsBeforeAllWeightsHaveMovedAreSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[turn_ = (turn_ + 1) % 3;
      __syncthreads();]]
  TO [[turn_ = (turn_ + 1) % 3;]])

planted_bug(BlocksThatDoNotWaitForEachOtherAreSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[load_fresh(steps_.met) < all]]
  TO [[false]])

planted_bug(SumsOfAStepClearedWhileOthersReadThemAreSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[exchanged(2)[j] = 0;]]
  TO [[exchanged(0)[j] = 0;]])

planted_bug(SumsOfAStepThatAreNotClearedAreSeen
  COMPILE steps.cu IN dense_steps.cuh
  FROM [[if (blockIdx.x == 0) exchanged(2)[j] = 0;]]
  TO [[]])

# ---- Evaluation

planted_bug(TiedScoresThatCountForOneSideAreSeen
  COMPILE rows.cu IN evaluation.cuh
  FROM [[2 * not_above - tied]]
  TO [[2 * not_above]])

planted_bug(AScoreOnTheCutTakenForANegativeIsSeen
  COMPILE rows.cu IN evaluation.cuh
  FROM [[(scores[i]) >= cut]]
  TO [[(scores[i]) > cut]])

# ---- Solvers

planted_bug(EntriesOfAGramMatrixReadBeforeAllAreThereAreSeen
  COMPILE gram.cu IN gram.cuh
  FROM [[      __syncthreads();
      // Roots are read]]
  TO [[      // Roots are read]])

planted_bug(EntriesOfAGramMatrixReplacedWhileOthersReadThemAreSeen
  COMPILE gram.cu IN gram.cuh
  FROM [[      __syncthreads();
      stage(place, left_first_, left_);]]
  TO [[      stage(place, left_first_, left_);]])

planted_bug(TilesOfALineTakenByTwoWarpsAreSeen
  COMPILE solver.cu IN scores.cuh
  FROM [[tile += apart) take_tile(tile);]]
  TO [[tile += apart) { take_tile(tile); take_tile(tile); }]])

planted_bug(HessianProductsWithoutTheWeightAreSeen
  COMPILE solver.cu IN row_stage.cuh
  FROM [[target.weight() * finite_or_zero(q, totals)]]
  TO [[finite_or_zero(q, totals)]])

planted_bug(ResidualsTakenForCurvaturesAreSeen
  COMPILE solver.cu IN row_stage.cuh
  FROM [[rows[i] = curved;]]
  TO [[rows[i] = rows[0];]])
