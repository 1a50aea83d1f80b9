package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errStopRequested ends a lifetime that nothing went wrong in.
var errStopRequested = errors.New("stop requested")

// lifetime is the time during which every component has to be there. The first
// thing that ends it, a request to stop or a component's own end, is kept as
// its cause; what follows from that no longer counts.
type lifetime struct {
	context.Context
	end context.CancelCauseFunc
}

func newLifetime() lifetime {
	ctx, end := context.WithCancelCause(context.Background())
	return lifetime{Context: ctx, end: end}
}

// stopRequested tells an end that was asked for from one that broke in.
func (l lifetime) stopRequested() bool {
	return errors.Is(context.Cause(l), errStopRequested)
}

// component is one part of the control plane, running on a context of its own
// so that the parts can be stopped one after the other.
type component struct {
	stop  context.CancelFunc
	ended chan struct{}
}

// run starts a component. None of them may return before it is told to: half a
// control plane would only make tests fail later and further from the cause.
func (l lifetime) run(name string, work func(context.Context) error) component {
	ctx, stop := context.WithCancel(context.Background())
	c := component{stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		err := work(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("no reason given")
		}
		l.end(fmt.Errorf("%s ended by itself: %w", name, err))
	}()
	return c
}

// stopWithin asks components to end and waits for them, but no longer than
// patience: what they hold is either in etcd already or worthless, and the end
// of the process takes the rest.
func stopWithin(patience time.Duration, components ...component) {
	deadline := time.After(patience)
	for _, c := range components {
		c.stop()
	}
	for _, c := range components {
		select {
		case <-c.ended:
		case <-deadline:
			return
		}
	}
}
