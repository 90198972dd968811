package namedresult

import "errors"

func bare() (n int, err error) { // want `named result that no deferred function sets`
	return 0, nil
}

func deferred() (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("panicked")
		}
	}()
	return nil
}

func unrelated() (err error) { // want `named result that no deferred function sets`
	defer func() { println(err) }()
	return nil
}
