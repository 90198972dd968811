package logmessage

import (
	"context"
	"fmt"
	"log/slog"
)

const stored = "stored"

func log(ctx context.Context, l *slog.Logger, serial string) {
	l.Info("stored "+serial, "n", 1)                  // want `log message is not constant`
	l.ErrorContext(ctx, fmt.Sprintf("of %s", serial)) // want `log message is not constant`
	l.Info(stored, "serial", serial)
	l.Log(ctx, slog.LevelInfo, stored)
}
